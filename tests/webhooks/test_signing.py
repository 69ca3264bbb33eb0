from base64 import b64decode

from scoreboard.webhooks.signing import headers, new_secret, signature


def test_a_signature_is_that_of_the_specification() -> None:
    secret, message, at_s = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330
    signed = signature(secret, message, at_s, b'{"test": 2432232314}')
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_secret_is_of_the_length_that_the_specification_wants_and_each_another() -> None:
    secrets = {new_secret() for _ in range(100)}
    assert len(secrets) == 100
    for secret in secrets:
        assert secret.startswith("whsec_")
        assert 24 <= len(b64decode(secret.removeprefix("whsec_"), validate=True)) <= 64


def test_each_secret_signs() -> None:
    one, two = new_secret(), new_secret()
    sent = headers("msg_1", 5, b"{}", [one, two])
    assert sent["webhook-signature"].split(" ") == [signature(each, "msg_1", 5, b"{}") for each in (one, two)]
    assert (sent["webhook-id"], sent["webhook-timestamp"]) == ("msg_1", "5")
