"""Fake services on loopback that know the truth: DashScope's protocol, OpenAI's images, a judge's chat."""
