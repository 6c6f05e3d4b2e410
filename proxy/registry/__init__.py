"""Services, their ports and endpoints, from whatever objects describe them."""
