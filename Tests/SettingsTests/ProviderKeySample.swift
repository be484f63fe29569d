/// A private key made for these tests, as `openssl genrsa` writes it; it signs nothing else.
let providerKey = """
    -----BEGIN PRIVATE KEY-----
    MIIEvAIBADANBgkqhkiG9w0BAQEFAASCBKYwggSiAgEAAoIBAQD1QhTUsR3MnG9i
    z2kOFvvLmWgoaLTA65SYBSSsJHs+cuw5ercwlTTscX9kaajUMayKJckm86LvZ5gO
    qH0yk0jgEwVV7xWx0j+T/TvQuBuM/2iR2lIyVZfDsUM2caAXM4wD2ttd+41cwpib
    2y3+LMqrULbenw386yBool91KKa+AEZVe9R3mClrywjJyTBiHik5g5EVVktND3Er
    3g4ffkNxaty3zG76FK5QBk3TiW2qNIO34MtLNzlFkRvM41vJNgIG7oItC+wVWfPY
    RittNV2vECXau0gWUOjXHuDuSjSSYFVq1DxB8z+Eq22HlHm4YGglgan0tbYtJ0Nv
    M1ppaqMdAgMBAAECggEAVpbIB/eoT68DXF1h98mBiHZW4b1l457IzYszUVtn77pf
    UEPVHV/wWXIQygDLzG7lPbjtdcUax29JrhMqcIqzdfkBLz/D5w4VyEflsGDvyS37
    W1M7Je42MK8KzdP783UNf+brABlp5VAG1S/i4xQpUaajiaGaLKtOu+Jn1VNO21FI
    lF2sKxLByP058H51vpXe6OKP6nU32hL/ppM0zrGPoTcaWmiMSkxzBaJduBX6Eqtz
    O+XAltMTxrzagQ+szPO3Qy4K/qpWDKQJE3gcvXXL7X9nWGw1/9gT5Fw2P37nX9LU
    FIbhnT0gssaqT71tmweQJrwwLKOxTHV/gYeZ4VXe+QKBgQD74M1eQKA68zygA/Mo
    ZfnTy7JKsS8BoC5PrkAaMkL7Sij3Ooqw5mPyMgHAv+mUTHnLO9D5yph1vbNsHWq0
    42eqEYmWSE2+hmQdQRzxFnmarGb7njzlWKBtNFEs/8ft4nmR7M+VR8B4jDvwOqIY
    UdWBqEV/CD12a8VFHcD8lOjnfwKBgQD5RYu8o+UXTNHpbb1bEHtefj4MP9nQWtGq
    lDjx5Fqn6klQauy9n/8ZE5SAZGrfZmMBg7q1U7QtWW8qMALulfZN+Aj/2GF0DDn+
    9SXoBulUjgJD+SQChwKPGpTwA0CXHV3srgaIFc5WpjbrAdjOwKhLp9PvKy6m05Ay
    gcjOL61jYwKBgAdVQCViVEfjFPzDoKyoa2GTKJmsFuZBN5fyRsN8ex69xfuMpMUJ
    sBc5BXwLGk3K/DDCiQ78qvuijjqzkIu7oyT8ZbkOWdUWLIv9fU43jUrHgigJL1Su
    A92qDEL3H2b5lPh+oHyEHkJkMsqHqnhyyXiA4aUVJFTyRkgA2cGAxFcZAoGAD167
    bAlLEfG5q8QJffj5Mm1kVAsH2jIPZY44KKok8N+gX6YILPUVnK05ZeVLNbUxe6Fs
    vMuJe5ZdJWPKen2ir1IQ8/2anLY4SUFCchkjAAS1nQ1arBE5FivUbSw2Kls0NGjS
    nEeD7pHXJwx5Gt6EQg36InAuMzkuVf7sq9ICxfMCgYBgbvAfn/3b7+S2eWeDBrji
    M1t/wMhHmXCSNPrblKVR1HR7qXImIz8Y/SidjoQpByZSI+lwnNfE6Jx8zHVNj0V2
    8ebmBWMTyturTELhTogeq20VyZ7O6cuCx43kffZ3xo/RgfidC4B7lzQK/IYVekz+
    uJAQHXIPfA52Im3UP/PX4g==
    -----END PRIVATE KEY-----
    """

/// The key file of a service account at Google; its key is none.
let serviceAccountKeyFile = """
    {"type": "service_account", "client_email": "data@project.iam.gserviceaccount.com", "private_key_id": "k1",
    "private_key": "PEM", "token_uri": "https://oauth2.googleapis.com/token"}
    """
