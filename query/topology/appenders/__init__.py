"""Steps that add to a traffic map what its rates do not say."""
