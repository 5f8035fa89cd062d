"""Files in S3, where the operator has set a bucket."""
