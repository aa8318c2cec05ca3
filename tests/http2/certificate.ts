/**
 * A certificate of localhost that it has signed itself, for tests. Its key is no
 * secret: nobody else trusts it.
 *
 * @module
 */

/** For a server, as PEM. */
export const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBmjCCAUGgAwIBAgIUSCaILPfyvgYIRn9aeUfkEdya3j0wCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyODA0NTYwMloYDzIxMjYxMTA0
MDQ1NjAyWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAATfgBIdCsjWGi8nZeHVASje6OjXa5lFPNfu+4D0Cy7LEOM3MlQi5dA3
252isdGCdAJg8uFbHEXPVFcT74IDgx/8o28wbTAdBgNVHQ4EFgQUzevs6P7X9eTQ
HMjzcgr6x/U/3mEwHwYDVR0jBBgwFoAUzevs6P7X9eTQHMjzcgr6x/U/3mEwDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
zj0EAwIDRwAwRAIgD0CercfbO69mg3bQKeeiIhVjK91qeLU6Wk6fEZEthTYCIGPT
ycG85kD9EPHyFuuqdD+BoyrJzIb3N+RYdfyeQ+hd
-----END CERTIFICATE-----
`;

/** Its key, as PEM. */
export const KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQglt4NmyHSrSHMfa5U
nWi0wCq9+FKLg15ZMuSw7OWyhnKhRANCAATfgBIdCsjWGi8nZeHVASje6OjXa5lF
PNfu+4D0Cy7LEOM3MlQi5dA3252isdGCdAJg8uFbHEXPVFcT74IDgx/8
-----END PRIVATE KEY-----
`;
