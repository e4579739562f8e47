package mail_test

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	netmail "net/mail"
	"strings"
	"testing"
	"time"

	"muster/internal/errs"
	"muster/internal/mail"
	"muster/internal/mail/mailtest"
)

func sender(t *testing.T, server *mailtest.Server, change func(*mail.Config)) *mail.Sender {
	t.Helper()
	cfg := mail.Config{Server: server.Address, From: "year@sea.example", User: "year", Password: "hush", Authorities: server.Authorities, Now: time.Now, Rand: rand.Reader}
	change(&cfg)
	s, err := mail.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func letter() mail.Letter {
	return mail.Letter{To: "ola@ostmere.example", Lang: "fr", Subject: "Échéance :\r\nBcc: everybody@example.org", Body: "Bonjour Ola,\n\n.une ligne qui commence par un point, et une autre, qui est bien plus longue que ce qu'une ligne de courriel peut avoir\n"}
}

// What is read at the other end is what was written, and an address or a subject adds
// no header.
func TestSend(t *testing.T) {
	t.Parallel()
	server := mailtest.New(t, mailtest.Config{})
	want := letter()
	if err := sender(t, server, func(*mail.Config) {}).Send(t.Context(), want); err != nil {
		t.Fatal(err)
	}
	got := server.Letters()
	if len(got) != 1 || got[0].From != "year@sea.example" || got[0].To != want.To || !got[0].Encrypted || got[0].User != "year" {
		t.Fatalf("the server took %+v", got)
	}
	m, err := netmail.ReadMessage(strings.NewReader(got[0].Body))
	if err != nil {
		t.Fatal(err)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if err != nil || subject != "Échéance :  Bcc: everybody@example.org" || m.Header.Get("Bcc") != "" {
		t.Errorf("the subject is %q, Bcc %q: %v", subject, m.Header.Get("Bcc"), err)
	}
	body, err := io.ReadAll(quotedprintable.NewReader(m.Body))
	if err != nil || strings.ReplaceAll(string(body), "\r\n", "\n") != want.Body {
		t.Errorf("read %q: %v", body, err)
	}
}

func TestSendCalendar(t *testing.T) {
	t.Parallel()
	server := mailtest.New(t, mailtest.Config{})
	want := letter()
	want.Calendar = "BEGIN:VCALENDAR\r\n" + strings.Repeat("X-LONG:é\r\n", 40) + "END:VCALENDAR\r\n"
	if err := sender(t, server, func(*mail.Config) {}).Send(t.Context(), want); err != nil {
		t.Fatal(err)
	}
	m, err := netmail.ReadMessage(strings.NewReader(server.Letters()[0].Body))
	if err != nil {
		t.Fatal(err)
	}
	_, parameters, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	parts := multipart.NewReader(m.Body, parameters["boundary"])
	var bodies []string
	for {
		part, err := parts.NextRawPart()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		var r io.Reader = quotedprintable.NewReader(part)
		if part.Header.Get("Content-Transfer-Encoding") == "base64" {
			r = base64.NewDecoder(base64.StdEncoding, part)
		}
		body, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		bodies = append(bodies, string(body))
	}
	if len(bodies) != 2 || strings.ReplaceAll(bodies[0], "\r\n", "\n") != want.Body || bodies[1] != want.Calendar {
		t.Errorf("read %q", bodies)
	}
}

// A server that does not encrypt, shows another certificate, or does not know the user
// gets nothing, and no error holds the password.
func TestSendRefuses(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		server mailtest.Config
		change func(*mail.Config)
		letter func(*mail.Letter)
		kind   errs.Kind
	}{
		"in clear":           {server: mailtest.Config{Plain: true}, kind: errs.Unavailable},
		"another authority":  {change: func(c *mail.Config) { c.Authorities = nil }, kind: errs.Unavailable},
		"another password":   {change: func(c *mail.Config) { c.Password = "hush-hush" }, kind: errs.Unavailable},
		"nobody there":       {change: func(c *mail.Config) { c.Server = "127.0.0.1:1" }, kind: errs.Unavailable},
		"nobody's address":   {server: mailtest.Config{Refuse: "ola@ostmere.example"}, kind: errs.Unavailable},
		"a header":           {letter: func(l *mail.Letter) { l.To = "a@b>\r\nBcc: c@d" }, kind: errs.Invalid},
		"a second recipient": {letter: func(l *mail.Letter) { l.To = "a@b,c@d" }, kind: errs.Invalid},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := mailtest.New(t, row.server)
			change := row.change
			if change == nil {
				change = func(*mail.Config) {}
			}
			l := letter()
			if row.letter != nil {
				row.letter(&l)
			}
			err := sender(t, server, change).Send(t.Context(), l)
			if errs.KindOf(err) != row.kind || err == nil {
				t.Errorf("%v, want kind %v", err, row.kind)
			}
			if err != nil && strings.Contains(err.Error(), "hush") {
				t.Error("the error holds the password")
			}
			if n := len(server.Letters()); n != 0 {
				t.Errorf("the server took %d letters", n)
			}
		})
	}
}

// A server that says nothing does not hold anybody longer than the caller wants.
func TestSendEnds(t *testing.T) {
	t.Parallel()
	server := mailtest.New(t, mailtest.Config{Silent: true})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	began := time.Now()
	err := sender(t, server, func(*mail.Config) {}).Send(ctx, letter())
	if errs.KindOf(err) != errs.Unavailable || time.Since(began) > 10*time.Second {
		t.Errorf("%v after %s", err, time.Since(began))
	}
}
