// Package mailtest is a mail server for tests: it listens on loopback, keeps what it is
// given, and sends nothing on.
package mailtest

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/textproto"
	"strings"
	"sync"
	"testing"
	"time"
)

// Config says what the server gets wrong. The zero value is a good one, which knows the
// user "year" with the password "hush".
type Config struct {
	Plain  bool   // it offers no STARTTLS
	Silent bool   // it says nothing
	Refuse string // an address that it does not know
}

// Letter is one that it took.
type Letter struct {
	From, To, User string
	Encrypted      bool
	Body           string
}

// Server is a running one.
type Server struct {
	Address     string // 127.0.0.1:PORT
	Authorities *x509.CertPool
	PEM         []byte // of the authority

	cfg  Config
	cert tls.Certificate

	mu      sync.Mutex
	letters []Letter // guarded by mu
}

// New starts a server, which ends with the test.
func New(t testing.TB, cfg Config) *Server {
	t.Helper()
	s, end, err := Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(end)
	return s
}

// Start starts a server; end stops it and waits for what is under way.
func Start(cfg Config) (s *Server, end func(), err error) {
	s = &Server{cfg: cfg}
	if err := s.certify(); err != nil {
		return nil, nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, err
	}
	s.Address = l.Addr().String()
	var wait sync.WaitGroup
	var mu sync.Mutex
	open := make(map[net.Conn]bool) // guarded by mu
	wait.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open[conn] = true
			mu.Unlock()
			wait.Go(func() {
				s.serve(conn)
				_ = conn.Close()
				mu.Lock()
				delete(open, conn)
				mu.Unlock()
			})
		}
	})
	return s, func() {
		_ = l.Close()
		mu.Lock()
		for conn := range open {
			_ = conn.Close()
		}
		mu.Unlock()
		wait.Wait()
	}, nil
}

func (s *Server) certify() error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2120, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return err
	}
	s.cert = tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
	s.PEM = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	s.Authorities = x509.NewCertPool()
	s.Authorities.AppendCertsFromPEM(s.PEM)
	return nil
}

// Letters returns what it took.
func (s *Server) Letters() []Letter {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Letter(nil), s.letters...)
}

// serve speaks as much of SMTP (RFC 5321) as a client of ours needs.
func (s *Server) serve(conn net.Conn) {
	if s.cfg.Silent {
		_, _ = conn.Read(make([]byte, 1)) // until somebody gives up
		return
	}
	r := textproto.NewReader(bufio.NewReader(conn))
	say := func(line string) { fmt.Fprintf(conn, "%s\r\n", line) } // an error shows when the next line is read
	say("220 mailtest")
	var l Letter
	for {
		line, err := r.ReadLine()
		if err != nil {
			return
		}
		verb, rest, _ := strings.Cut(line, " ")
		switch strings.ToUpper(verb) {
		case "EHLO":
			if !s.cfg.Plain && !l.Encrypted {
				say("250-mailtest")
				say("250 STARTTLS")
			} else {
				say("250-mailtest")
				say("250 AUTH PLAIN")
			}
		case "STARTTLS":
			say("220 go on")
			encrypted := tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{s.cert}, MinVersion: tls.VersionTLS12})
			if encrypted.Handshake() != nil {
				return
			}
			conn, l.Encrypted = encrypted, true
			r = textproto.NewReader(bufio.NewReader(conn))
		case "AUTH":
			_, encoded, _ := strings.Cut(rest, " ")
			plain, _ := base64.StdEncoding.DecodeString(encoded)
			if string(plain) != "\x00year\x00hush" {
				say("535 no")
				continue
			}
			l.User = "year"
			say("235 yes")
		case "MAIL":
			l.From = inner(rest)
			say("250 yes")
		case "RCPT":
			if l.To = inner(rest); l.To == s.cfg.Refuse {
				say("550 nobody is called so")
				continue
			}
			say("250 yes")
		case "DATA":
			say("354 go on")
			body, err := r.ReadDotBytes()
			if err != nil {
				return
			}
			l.Body = string(body)
			s.mu.Lock()
			s.letters = append(s.letters, l)
			s.mu.Unlock()
			say("250 taken")
		case "QUIT":
			say("221 bye")
			return
		default:
			say("250 yes")
		}
	}
}

// inner returns what stands between angle brackets.
func inner(text string) string {
	_, text, _ = strings.Cut(text, "<")
	text, _, _ = strings.Cut(text, ">")
	return text
}
