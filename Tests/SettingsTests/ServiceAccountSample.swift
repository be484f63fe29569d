/// The key file of a service account at Google; its key is none.
let serviceAccountKeyFile = """
    {"type": "service_account", "client_email": "data@project.iam.gserviceaccount.com", "private_key_id": "k1",
    "private_key": "PEM", "token_uri": "https://oauth2.googleapis.com/token"}
    """
