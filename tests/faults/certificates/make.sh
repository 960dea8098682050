#!/bin/sh
# Makes the certificates of the tests anew, with OpenSSL. They are worth nothing elsewhere: their keys lie beside them.
#   ca.pem         the authority, good for a hundred years; its key is thrown away
#   good.pem       key and certificate for 127.0.0.1 and localhost
#   expired.pem    the same, no longer valid
#   elsewhere.pem  the same, for another host
#   alone.pem      for 127.0.0.1, signed by nobody but itself
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
cd "$work"
touch index.txt
cat > ca.conf <<'CONF'
[ca]
default_ca = own
[own]
database = index.txt
new_certs_dir = .
rand_serial = yes
default_md = sha256
policy = any
unique_subject = no
copy_extensions = copy
[any]
commonName = supplied
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[server]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid:always
CONF
key() { openssl ecparam -name prime256v1 -genkey -noout -out "$1"; }
from=20200101000000Z until=21200101000000Z

key ca.key
openssl req -new -key ca.key -subj "/CN=annolake tests" -out ca.csr
openssl ca -batch -notext -config ca.conf -selfsign -keyfile ca.key -in ca.csr -extensions authority \
    -startdate $from -enddate $until -out "$here/ca.pem"
signed() {
    key "$1.key"
    openssl req -new -key "$1.key" -subj "/CN=$2" -addext "subjectAltName=$3" -out "$1.csr"
    openssl ca -batch -notext -config ca.conf -keyfile ca.key -cert "$here/ca.pem" -in "$1.csr" -extensions server \
        -startdate $from -enddate "$4" -out "$1.crt"
    cat "$1.key" "$1.crt" > "$here/$1.pem"
}
signed good localhost IP:127.0.0.1,DNS:localhost $until
signed expired localhost IP:127.0.0.1,DNS:localhost 20200102000000Z
signed elsewhere elsewhere.example DNS:elsewhere.example $until
key alone.key
openssl req -new -key alone.key -subj "/CN=localhost" -addext "subjectAltName=IP:127.0.0.1,DNS:localhost" -out alone.csr
openssl ca -batch -notext -config ca.conf -selfsign -keyfile alone.key -in alone.csr -extensions authority \
    -startdate $from -enddate $until -out alone.crt
cat alone.key alone.crt > "$here/alone.pem"
