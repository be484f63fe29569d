"""What the client tests stand on: processes to start, ways to speak to them, faults to inject."""
