// Package mail sends plain letters by one mail server.
//
//	sender, err := mail.New(mail.Config{Server: "mail.example:587", From: "year@sea.example"})
//	err = sender.Send(ctx, mail.Letter{To: "ola@ostmere.example", Subject: "Cycle 2031", Body: text})
//
// It promises that nothing goes out before the connection is encrypted and the server
// has shown a certificate for its name (STARTTLS, RFC 3207): a server that does not
// offer it is refused. Addresses and subjects cannot add a header. No error holds the
// password or what was written.
package mail

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/smtp"
	"net/textproto"
	"strings"
	"time"

	"muster/internal/errs"
)

// timeout bounds one letter, from the first packet to the server's last word.
const timeout = 30 * time.Second

// Config says by which server letters go, and from whom.
type Config struct {
	Server      string // HOST:PORT
	From        string // the address that they are from
	User        string // empty: the server takes them without
	Password    string
	Authorities *x509.CertPool   // that the server's certificate may come from; nil for those of the machine
	Now         func() time.Time // time.Now outside tests
	Rand        io.Reader        // crypto/rand outside tests
}

// Sender sends letters. Its methods may be called concurrently.
type Sender struct {
	cfg  Config
	host string
}

// New returns a sender.
func New(cfg Config) (*Sender, error) {
	host, _, err := net.SplitHostPort(cfg.Server)
	if err != nil || host == "" {
		return nil, errs.New(errs.Invalid, errs.Quote(cfg.Server)+" is no address of a mail server", `HOST:PORT, such as "mail.example:587"`)
	}
	return &Sender{cfg, host}, nil
}

// Letter is one letter to one person.
type Letter struct {
	To       string // name@host
	Lang     string // of subject and body
	Subject  string
	Body     string // lines end in \n
	Calendar string // a file of iCalendar that goes with it; empty for none
}

// Send sends a letter. It is Unavailable if the server does not take it now.
func (s *Sender) Send(ctx context.Context, l Letter) error {
	for _, address := range []string{s.cfg.From, l.To} {
		if address == "" || strings.ContainsFunc(address, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(`<>,;:"\`, r) }) {
			return errs.New(errs.Invalid, errs.Quote(address)+" is no address of mail", "name@host, in plain letters")
		}
	}
	body, err := s.write(l)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if err := s.deliver(ctx, l.To, body); err != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return errs.Wrap(err, errs.Unavailable, "the mail server "+errs.Quote(s.cfg.Server)+" did not take a letter", "is it running, does it offer STARTTLS with a certificate for its name, and does it know the user?")
	}
	return nil
}

func (s *Sender) deliver(ctx context.Context, to string, body []byte) error {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", s.cfg.Server)
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() }) // ends whatever waits for it
	defer stop()
	client, err := smtp.NewClient(conn, s.host)
	if err != nil {
		_ = conn.Close()
		return err
	}
	defer client.Close() // after Quit it is closed already
	if ok, _ := client.Extension("STARTTLS"); !ok {
		return fmt.Errorf("it does not offer STARTTLS")
	}
	if err := client.StartTLS(&tls.Config{ServerName: s.host, RootCAs: s.cfg.Authorities, MinVersion: tls.VersionTLS12, Time: s.cfg.Now}); err != nil {
		return err
	}
	if s.cfg.User != "" {
		if err := client.Auth(smtp.PlainAuth("", s.cfg.User, s.cfg.Password, s.host)); err != nil {
			return fmt.Errorf("it does not take the user and the password") // its text may repeat them
		}
	}
	if err := client.Mail(s.cfg.From); err != nil {
		return err
	}
	if err := client.Rcpt(to); err != nil {
		return err
	}
	w, err := client.Data()
	if err != nil {
		return err
	}
	if _, err := w.Write(body); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	_ = client.Quit() // the server has taken the letter
	return nil
}

// write writes the letter as it goes over the wire (RFC 5322, MIME).
func (s *Sender) write(l Letter) ([]byte, error) {
	var id [16]byte
	if _, err := io.ReadFull(s.cfg.Rand, id[:]); err != nil {
		return nil, fmt.Errorf("draw an id: %w", err)
	}
	_, domain, _ := strings.Cut(s.cfg.From, "@")
	var b bytes.Buffer
	header := func(name, value string) { fmt.Fprintf(&b, "%s: %s\r\n", name, value) }
	header("From", s.cfg.From)
	header("To", l.To)
	header("Subject", mime.QEncoding.Encode("utf-8", strings.NewReplacer("\r", " ", "\n", " ").Replace(l.Subject)))
	header("Date", s.cfg.Now().UTC().Format("Mon, 02 Jan 2006 15:04:05 +0000"))
	header("Message-ID", "<"+hex.EncodeToString(id[:])+"@"+domain+">")
	header("MIME-Version", "1.0")
	header("Auto-Submitted", "auto-generated") // RFC 3834: no machine answers
	if l.Lang != "" {
		header("Content-Language", l.Lang)
	}
	if l.Calendar == "" {
		header("Content-Type", "text/plain; charset=utf-8")
		header("Content-Transfer-Encoding", "quoted-printable")
		b.WriteString("\r\n")
		err := quoted(&b, l.Body)
		return b.Bytes(), err
	}
	parts := multipart.NewWriter(&b)
	if err := parts.SetBoundary("muster-" + hex.EncodeToString(id[:])); err != nil {
		return nil, err
	}
	header("Content-Type", "multipart/mixed; boundary="+parts.Boundary())
	b.WriteString("\r\n")
	text, err := parts.CreatePart(textproto.MIMEHeader{"Content-Type": {"text/plain; charset=utf-8"}, "Content-Transfer-Encoding": {"quoted-printable"}})
	if err != nil {
		return nil, err
	}
	if err := quoted(text, l.Body); err != nil {
		return nil, err
	}
	file, err := parts.CreatePart(textproto.MIMEHeader{
		"Content-Type": {"text/calendar; charset=utf-8; method=PUBLISH"}, "Content-Transfer-Encoding": {"base64"}, "Content-Disposition": {`attachment; filename="muster.ics"`},
	})
	if err != nil {
		return nil, err
	}
	encoded := base64.StdEncoding.EncodeToString([]byte(l.Calendar))
	for len(encoded) > 76 {
		fmt.Fprintf(file, "%s\r\n", encoded[:76]) // to memory: it does not fail
		encoded = encoded[76:]
	}
	fmt.Fprintf(file, "%s\r\n", encoded)
	err = parts.Close()
	return b.Bytes(), err
}

func quoted(w io.Writer, text string) error {
	q := quotedprintable.NewWriter(w)
	if _, err := io.WriteString(q, strings.ReplaceAll(text, "\n", "\r\n")); err != nil {
		return err
	}
	return q.Close()
}
