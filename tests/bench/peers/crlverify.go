// SPDX-License-Identifier: Apache-2.0

// Peer of the bench: Go's crypto/x509 reads a CRL and checks its signature.
package main

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
)

func main() {
	ca, err := os.ReadFile(os.Args[1])
	if err != nil {
		panic(err)
	}
	block, _ := pem.Decode(ca)
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		panic(err)
	}
	der, err := os.ReadFile(os.Args[2])
	if err != nil {
		panic(err)
	}
	crl, err := x509.ParseRevocationList(der)
	if err == nil {
		err = crl.CheckSignatureFrom(cert)
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(len(crl.RevokedCertificates), crl.NextUpdate)
}
