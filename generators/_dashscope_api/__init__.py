"""What ``generators.dashscope`` knows of the service: models, requests, replies, errors, and pictures to upload."""
