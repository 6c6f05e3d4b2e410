"""The web interface: pages rendered here, data fetched by the browser from the query APIs."""
