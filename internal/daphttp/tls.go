package daphttp

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"time"

	"muster/dap"
	"muster/internal/errs"
)

// A Pin is the SHA-256 of a certificate's SubjectPublicKeyInfo. The zero Pin is
// nobody's.
type Pin [sha256.Size]byte

// ParsePin reads a pin as it stands in a charter, which is what coalition.Pin returns.
func ParsePin(s string) (Pin, error) {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != len(Pin{}) || hex.EncodeToString(b) != s {
		return Pin{}, errs.New(errs.Invalid, errs.Quote(s)+" is no pin of a TLS key", "a pin is a SHA-256 in 64 hexadecimal digits; a charter without pins is for hosts in one process")
	}
	return Pin(b), nil
}

// String returns the pin as it stands in a charter.
func (p Pin) String() string { return hex.EncodeToString(p[:]) }

// PinOf returns the pin of a certificate's key.
func PinOf(cert *x509.Certificate) Pin {
	return sha256.Sum256(cert.RawSubjectPublicKeyInfo)
}

// equal compares in constant time. A pin is public, so this hides nothing that
// is secret; it costs nothing either.
func (p Pin) equal(q Pin) bool { return subtle.ConstantTimeCompare(p[:], q[:]) == 1 }

// errPin says that the other side has another key than the charter says.
var errPin = errors.New("the key is not the one that the charter pins")

// pinned returns a VerifyConnection that accepts the pins and nothing else. A
// connection without a certificate passes if that is optional.
func pinned(optional bool, pins ...Pin) func(tls.ConnectionState) error {
	return func(state tls.ConnectionState) error {
		if len(state.PeerCertificates) == 0 {
			if optional {
				return nil
			}
			return errPin
		}
		got := PinOf(state.PeerCertificates[0])
		for _, p := range pins {
			if p != (Pin{}) && p.equal(got) {
				return nil
			}
		}
		return errPin
	}
}

// baseTLS is what both sides want. Whoever answers has proved that it holds
// the private key of its certificate: TLS 1.3 does that by itself.
//
// Sessions are not resumed: every connection shows its certificate.
func baseTLS() *tls.Config {
	return &tls.Config{
		MinVersion:             tls.VersionTLS13,
		NextProtos:             []string{"h2", "http/1.1"},
		SessionTicketsDisabled: true,
	}
}

// ServerTLS returns the configuration of a host that shows cert. A client needs
// no certificate; one that shows one must have a key that clients pins, and
// what it may do is decided for each resource.
func ServerTLS(cert tls.Certificate, clients ...Pin) *tls.Config {
	cfg := baseTLS()
	cfg.Certificates = []tls.Certificate{cert}
	// Asked for and not checked by crypto/tls: the charter, and no authority,
	// says whose key it is. The pin is checked in VerifyConnection.
	cfg.ClientAuth = tls.RequestClientCert
	cfg.VerifyConnection = pinned(true, clients...)
	return cfg
}

// ClientTLS returns the configuration of a client of the host whose key is
// pinned as server. cert is what the client shows; nil for a member.
func ClientTLS(cert *tls.Certificate, server Pin) *tls.Config {
	cfg := baseTLS()
	if cert != nil {
		// Certificates would be filtered by what authorities the server names.
		own := *cert
		cfg.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &own, nil }
	}
	// Names, dates and authorities are not looked at, which is what this switch
	// says: the charter pins the key itself, which is stricter (RFC 9110, 4.3.4,
	// allows it). A certificate may expire in mid-cycle and be renewed; the key
	// may not change. VerifyConnection, which decides, runs in every handshake.
	cfg.InsecureSkipVerify = true
	cfg.VerifyConnection = pinned(false, server)
	return cfg
}

// CertificateConfig says what [NewCertificate] makes.
type CertificateConfig struct {
	Endpoint dap.URL       // whose host the certificate names; empty for the coordinator, a client only
	Name     string        // whom it names besides, in words
	Now      time.Time     // from when on it is valid
	Lifetime time.Duration // zero: two years
	Rand     io.Reader     // nil: crypto/rand.Reader
}

// NewCertificate makes a new Ed25519 key and a certificate for it that it signs
// itself. What counts is its [Pin]; names and dates are for those who look at it
// with other tools.
func NewCertificate(cfg CertificateConfig) (tls.Certificate, error) {
	if cfg.Rand == nil {
		cfg.Rand = rand.Reader
	}
	if cfg.Lifetime == 0 {
		cfg.Lifetime = 2 * 365 * 24 * time.Hour
	}
	public, private, err := ed25519.GenerateKey(cfg.Rand)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("make a TLS key: %w", err)
	}
	serial, err := rand.Int(cfg.Rand, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("draw a serial number: %w", err)
	}
	template := &x509.Certificate{
		SerialNumber: serial.Add(serial, big.NewInt(1)),
		Subject:      pkix.Name{CommonName: cfg.Name},
		NotBefore:    cfg.Now.Add(-time.Hour), // clocks differ
		NotAfter:     cfg.Now.Add(cfg.Lifetime),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},

		BasicConstraintsValid: true,
	}
	if cfg.Endpoint != "" {
		u, err := parseEndpoint(cfg.Endpoint)
		if err != nil {
			return tls.Certificate{}, err
		}
		if ip := net.ParseIP(u.Hostname()); ip != nil {
			template.IPAddresses = []net.IP{ip}
		} else {
			template.DNSNames = []string{u.Hostname()}
		}
	}
	der, err := x509.CreateCertificate(cfg.Rand, template, template, public, private)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("sign a TLS certificate: %w", err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("read the new TLS certificate: %w", err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: private, Leaf: leaf}, nil
}
