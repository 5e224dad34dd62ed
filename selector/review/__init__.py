"""The page of `bestshot review`: a person looks at candidates in a browser and decides."""
