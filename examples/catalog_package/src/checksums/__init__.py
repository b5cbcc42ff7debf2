"""CRC-32C checksums, with what stratoperf measures of them."""
