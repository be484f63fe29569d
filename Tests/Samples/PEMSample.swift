/// Private keys made for these tests, as OpenSSL writes them; they sign nothing else.
package enum PEMSample {
    /// `openssl genrsa` of version 3.
    package static let pkcs8 = """
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

    /// The same key, `openssl rsa -traditional`.
    package static let pkcs1 = """
        -----BEGIN RSA PRIVATE KEY-----
        MIIEogIBAAKCAQEA9UIU1LEdzJxvYs9pDhb7y5loKGi0wOuUmAUkrCR7PnLsOXq3
        MJU07HF/ZGmo1DGsiiXJJvOi72eYDqh9MpNI4BMFVe8VsdI/k/070LgbjP9okdpS
        MlWXw7FDNnGgFzOMA9rbXfuNXMKYm9st/izKq1C23p8N/OsgaKJfdSimvgBGVXvU
        d5gpa8sIyckwYh4pOYORFVZLTQ9xK94OH35DcWrct8xu+hSuUAZN04ltqjSDt+DL
        Szc5RZEbzONbyTYCBu6CLQvsFVnz2EYrbTVdrxAl2rtIFlDo1x7g7ko0kmBVatQ8
        QfM/hKtth5R5uGBoJYGp9LW2LSdDbzNaaWqjHQIDAQABAoIBAFaWyAf3qE+vA1xd
        YffJgYh2VuG9ZeOeyM2LM1FbZ++6X1BD1R1f8FlyEMoAy8xu5T247XXFGsdvSa4T
        KnCKs3X5AS8/w+cOFchH5bBg78kt+1tTOyXuNjCvCs3T+/N1DX/m6wAZaeVQBtUv
        4uMUKVGmo4mhmiyrTrviZ9VTTttRSJRdrCsSwcj9OfB+db6V3ujij+p1N9oS/6aT
        NM6xj6E3GlpojEpMcwWiXbgV+hKrczvlwJbTE8a82oEPrMzzt0MuCv6qVgykCRN4
        HL11y+1/Z1hsNf/YE+RcNj9+51/S1BSG4Z09ILLGqk+9bZsHkCa8MCyjsUx1f4GH
        meFV3vkCgYEA++DNXkCgOvM8oAPzKGX508uySrEvAaAuT65AGjJC+0oo9zqKsOZj
        8jIBwL/plEx5yzvQ+cqYdb2zbB1qtONnqhGJlkhNvoZkHUEc8RZ5mqxm+5485Vig
        bTRRLP/H7eJ5kezPlUfAeIw78DqiGFHVgahFfwg9dmvFRR3A/JTo538CgYEA+UWL
        vKPlF0zR6W29WxB7Xn4+DD/Z0FrRqpQ48eRap+pJUGrsvZ//GROUgGRq32ZjAYO6
        tVO0LVlvKjAC7pX2TfgI/9hhdAw5/vUl6AbpVI4CQ/kkAocCjxqU8ANAlx1d7K4G
        iBXOVqY26wHYzsCoS6fT7ysuptOQMoHIzi+tY2MCgYAHVUAlYlRH4xT8w6CsqGth
        kyiZrBbmQTeX8kbDfHsevcX7jKTFCbAXOQV8CxpNyvwwwokO/Kr7oo46s5CLu6Mk
        /GW5DlnVFiyL/X1ON41Kx4IoCS9UrgPdqgxC9x9m+ZT4fqB8hB5CZDLKh6p4csl4
        gOGlFSRU8kZIANnBgMRXGQKBgA9eu2wJSxHxuavECX34+TJtZFQLB9oyD2WOOCiq
        JPDfoF+mCCz1FZytOWXlSzW1MXuhbLzLiXuWXSVjynp9oq9SEPP9mpy2OElBQnIZ
        IwAEtZ0NWqwRORYr1G0sNipbNDRo0pxHg+6R1ycMeRrehEIN+iJwLjM5LlX+7KvS
        AsXzAoGAYG7wH5/92+/ktnlngwa44jNbf8DIR5lwkjT625SlUdR0e6lyJiM/GP0o
        nY6EKQcmUiPpcJzXxOicfMx1TY9FdvHm5gVjE8rbq0xC4U6IHqttFcmezunLgseN
        5H32d8aP0YH4nQuAe5c0CvyGFXpM/riQEB1yD3wOdiJt1D/z1+I=
        -----END RSA PRIVATE KEY-----
        """

    /// 1024 bits.
    package static let short = """
        -----BEGIN PRIVATE KEY-----
        MIICdwIBADANBgkqhkiG9w0BAQEFAASCAmEwggJdAgEAAoGBAM5Hmc2Yc6JxkNlZ
        z2bj+lryoNzgOa+mM5eBYP+p7CTkiCbjjj1G32jM75TnXILvyye2hVY5WlSqHwzM
        oeUs68KtOZy+igAyGeoaHubCKg4x9seQ5ZR77QtUjTf5bbP6wv97hYS1TNsw0/0B
        lshxA7NevAT23HUKvB3GFeS/KBM9AgMBAAECgYEAjYz8seSnlRUxPLUwaX6P0dEl
        KeyEKVB3nsOdeFN2RGq+M1F7zfjQXe4jiZ6qEP/T/NB29xAsOGT1IadagRUuQhFu
        gvGRZ7qpvBXHp7f3taIlsmwytL4jRwhJKvmRAQP30MVc7vM2Ctl7DX5vn9uTzPeb
        vYIw6q5/2RrNKfd1e1ECQQDsvPwiWdhMnF+g4kEDXo1xAPonmcK38mGlVaRamOUD
        vclcKasghZdr40sbairKI9c82hFxiVhmZwdtuxvKsuEDAkEA3xAyIYaPP3H7JBRh
        zXY+deRnL+7MuoeT9vDKLxPdqytwBOnXE19U/GV8ljNdiW9lqjNwD2jCy8FQZJGt
        rFlmvwJAFdnHp+AFD+UrCm13tLjoczK05CzUBShxDNKfzeDo2nSM/l22NtU9ya58
        AzbEZk3ykuJJ0+Hqb+E4lU883HOwQwJBAKBissjsSX9i4yK0DQaAaLS3v4H1f/r2
        lOtPgvCKpi33E5pU0LI7L44zInuU/0JceIsCZSaPOtDqdHV7UZbEyV0CQH+wrU/a
        /HxPH9aE1Qw4jOhW9T81daVicDEV21FGOt9M2lak7/qmgwPyFC0xOqqj8yTRQPUS
        mpOrIALvPLbSHq4=
        -----END PRIVATE KEY-----
        """

    /// `openssl ecparam -name prime256v1 -genkey`, its parameters in front.
    package static let sec1 = """
        -----BEGIN EC PARAMETERS-----
        BggqhkjOPQMBBw==
        -----END EC PARAMETERS-----
        -----BEGIN EC PRIVATE KEY-----
        MHcCAQEEIBXJgHzMk3FYdDwumsjgE/iRAU3EJFY4km5rixoa+GnQoAoGCCqGSM49
        AwEHoUQDQgAEg4cr/tKTeUKzXg4QmDT8ZuLVspqhODXB0JHqK8KoTwzEI25WcLCQ
        ITq+5UuytvuHGj1zii1FnyWMhffHjf3mOw==
        -----END EC PRIVATE KEY-----
        """

    /// `openssl genpkey -algorithm EC`.
    package static let p256 = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgsHbne9gz5H9CAd8x
        dGcw7jQf4VBPatTzjhwIazm56NmhRANCAATLoOUoP54r6g2ooEVXK2eTSTCS+tYK
        L3RYos1rPjqcRWL5UeEs9yFJTVBmyieeUrTa6MroAH/Ub9sCnPE4Vmla
        -----END PRIVATE KEY-----
        """

    /// Another curve.
    package static let p384 = """
        -----BEGIN EC PRIVATE KEY-----
        MIGkAgEBBDC1+jwgO3rOCr+/ZY7gKIFrxBrfXCMTOr7BCVLO4GQhOetZYMI1G39t
        BZPo8T55aqegBwYFK4EEACKhZANiAAQf+XHsup5EGjUsstfVyciVn14RZE1PnVEn
        RVeZfEPaGZBAkDoeXsAZHTp8haMrF08jZCzgWag3CDpDjI8dh0vvNjwFJ1PseI6X
        6k/4G/Z1qHQ/QdFUWZfQk8Z/dCNTyUo=
        -----END EC PRIVATE KEY-----
        """

    /// With a passphrase.
    package static let encrypted = """
        -----BEGIN ENCRYPTED PRIVATE KEY-----
        MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAgHZKkWVN3LHAICCAAw
        DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEENzI7cqMqlnVbEFl/MAUdJMEgZCE
        ezLVDe0qb/l7/8MWg+MA6rbZAlfqXEXzyfpHBBZQLNYrjJA4gP/4n0wZErKZidRZ
        F4dbhwS4qFZqLLv6LzgpofqiflW8IvAevCcr6yHHy4qWANAF2utDBNKS+ZDLXqup
        s8AykF/lEO4dUa08YDayGDbXBOd8cQue+dmwmxOSpbiH1F/ho1HyzD6rdRLpw0k=
        -----END ENCRYPTED PRIVATE KEY-----
        """

    /// `openssl rsa -pubout`.
    package static let publicHalf = """
        -----BEGIN PUBLIC KEY-----
        MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA9UIU1LEdzJxvYs9pDhb7
        y5loKGi0wOuUmAUkrCR7PnLsOXq3MJU07HF/ZGmo1DGsiiXJJvOi72eYDqh9MpNI
        4BMFVe8VsdI/k/070LgbjP9okdpSMlWXw7FDNnGgFzOMA9rbXfuNXMKYm9st/izK
        q1C23p8N/OsgaKJfdSimvgBGVXvUd5gpa8sIyckwYh4pOYORFVZLTQ9xK94OH35D
        cWrct8xu+hSuUAZN04ltqjSDt+DLSzc5RZEbzONbyTYCBu6CLQvsFVnz2EYrbTVd
        rxAl2rtIFlDo1x7g7ko0kmBVatQ8QfM/hKtth5R5uGBoJYGp9LW2LSdDbzNaaWqj
        HQIDAQAB
        -----END PUBLIC KEY-----
        """

    /// `openssl req -x509`, for a hundred years.
    package static let certificate = """
        -----BEGIN CERTIFICATE-----
        MIIBjjCCATWgAwIBAgIUf2Q8pBHQGhUqJOv/VJlQBU4pGNswCgYIKoZIzj0EAwIw
        HDEaMBgGA1UEAwwRZ2F0ZWhvdXNlLmV4YW1wbGUwIBcNMjYxMTMwMDA0NTI3WhgP
        MjEyNjExMDYwMDQ1MjdaMBwxGjAYBgNVBAMMEWdhdGVob3VzZS5leGFtcGxlMFkw
        EwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAENW3Pw2UmlhDZoJSC99JV0r/EuK6dyc2A
        P4K9Mj5bkf4ZerW4C/kTnqPfnG63T5UMAG/6CP7tc8LvLmWOFpgMlaNTMFEwHQYD
        VR0OBBYEFNoeXv+Z1zS/56c9Afg4784Y+/7sMB8GA1UdIwQYMBaAFNoeXv+Z1zS/
        56c9Afg4784Y+/7sMA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDRwAwRAIg
        YrrZsuk+qDKh4TMCxQnYUVSqx2yO/n5B8OL8FCKQ+JoCIDbDLgQAcOd8qrsz1UxD
        kTGmOWRkityTRaTIScGCHtgK
        -----END CERTIFICATE-----
        """

    /// The key of ``certificate``.
    package static let certificateKey = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgEjytuWYgEX9csU+j
        qXcodCZNO/3dGDVPAzKwMEuiMhyhRANCAAQ1bc/DZSaWENmglIL30lXSv8S4rp3J
        zYA/gr0yPluR/hl6tbgL+ROeo9+cbrdPlQwAb/oI/u1zwu8uZY4WmAyV
        -----END PRIVATE KEY-----
        """
}
