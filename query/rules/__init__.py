"""Recording and alerting rules: files, evaluation, notifications, tests."""
