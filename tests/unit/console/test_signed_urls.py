"""Where the console reaches files by the API's signed URLs."""

import pytest

from services.console.api import reached

KEY = "campaigns/3f2b8a54/0d5e8a0e_my%20list.csv"
OURS = f"/files/{KEY}?expires=1&max_bytes=5&signature=a%2Bb"
S3 = f"https://s3.example.com/files/{KEY}?X-Amz-Expires=900&X-Amz-Signature=abc"


@pytest.mark.parametrize("public", ["https://calls.example.com", "http://127.0.0.1:8080"])
def test_a_file_of_campaign_api_is_reached_where_the_console_reaches_that(public: str) -> None:
    assert str(reached(public + OURS, "http://campaign-api:8080")) == f"http://campaign-api:8080{OURS}"


def test_a_file_in_s3_is_reached_at_s3_whatever_its_bucket_is_called() -> None:
    assert str(reached(S3, "http://campaign-api:8080")) == S3
