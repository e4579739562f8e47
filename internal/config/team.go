package config

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"muster/internal/errs"
)

// TeamFormat is the version of the configuration of a workspace that several use.
const TeamFormat = "muster-team/1"

// Team is the configuration of a workspace that several use. Paths are as they are
// used: relative ones in the file are relative to its folder.
type Team struct {
	URL         string // where people reach it: https, a name, and the port unless it is 443
	Listen      string // the address to serve at
	Certificate string // file with the certificate and those between it and its root
	Key         string // file with its key, mode 0600
	Provider    *Provider
	Evidence    []string      // folders below which evidence may be read from the pages; none: none is
	Idle        time.Duration // after which a session ends without a request
	Longest     time.Duration // after which it ends
	Connections int           // at the same time; zero leaves it to the program
	Log         Log
}

// Provider is an OpenID Connect provider that vouches for people.
type Provider struct {
	Name         string // as the page of sign-in shows it
	Issuer       string // exactly as the provider writes it
	ClientID     string
	ClientSecret string // a file with mode 0600 that holds it
	Authorities  string // a file with the certificates that the provider's may come from; empty for those of the machine
}

// What is used where the file says nothing.
const (
	defaultTeamListen = ":8443"
	defaultIdle       = 30
	defaultLongest    = 12
)

// maxEvidence is how many folders of evidence there may be.
const maxEvidence = 32

// ReadTeam reads the configuration file at path. Its faults are all of them, as
// [errs.Faults].
func ReadTeam(path string) (*Team, error) {
	data, err := readLimited(path, maxConfig)
	if err != nil {
		return nil, err
	}
	c := &checker{file: path, format: TeamFormat}
	t := c.team(data)
	if err := c.faults.Err(); err != nil {
		return nil, err
	}
	paths := []*string{&t.Certificate, &t.Key}
	if t.Provider != nil {
		paths = append(paths, &t.Provider.ClientSecret, &t.Provider.Authorities)
	}
	for i := range t.Evidence {
		paths = append(paths, &t.Evidence[i])
	}
	for _, p := range paths {
		if *p != "" && !filepath.IsAbs(*p) {
			*p = filepath.Join(filepath.Dir(path), *p)
		}
	}
	return t, nil
}

// team reads the whole file.
func (c *checker) team(data []byte) *Team {
	t := &Team{}
	root := c.parse(data)
	if root == nil {
		return t
	}
	var format, public, listen, tls, provider, evidence, session, limits, log *node
	if !c.object("", root, need("format", &format), need("url", &public), may("listen", &listen), need("tls", &tls),
		may("oidc", &provider), may("evidence", &evidence), may("session", &session), may("limits", &limits), may("log", &log)) {
		return t
	}
	c.word("format", format, TeamFormat)
	t.URL = c.origin("url", public)
	t.Listen = cmp.Or(c.address("listen", listen), defaultTeamListen)
	c.teamTLS(t, tls)
	c.provider(t, provider)
	if evidence != nil {
		for i, n := range c.list("evidence", evidence, maxEvidence) {
			t.Evidence = append(t.Evidence, c.text(fmt.Sprintf("evidence[%d]", i), n))
		}
	}
	c.session(t, session)
	if limits != nil {
		var connections *node
		if c.object("limits", limits, may("connections", &connections)) {
			t.Connections = c.number("limits.connections", connections, 8, 65_536)
		}
	}
	c.log(&t.Log, log)
	return t
}

func (c *checker) teamTLS(t *Team, n *node) {
	if n == nil {
		return
	}
	var certificate, key *node
	if c.object("tls", n, need("certificate", &certificate), need("key", &key)) {
		t.Certificate, t.Key = c.text("tls.certificate", certificate), c.text("tls.key", key)
	}
}

func (c *checker) provider(t *Team, n *node) {
	if n == nil {
		return
	}
	var name, issuer, id, secret, authorities *node
	if !c.object("oidc", n, need("issuer", &issuer), need("client_id", &id), need("client_secret_file", &secret), may("name", &name), may("authorities", &authorities)) {
		return
	}
	p := &Provider{
		Name: c.text("oidc.name", name), ClientID: c.text("oidc.client_id", id),
		ClientSecret: c.text("oidc.client_secret_file", secret), Authorities: c.text("oidc.authorities", authorities),
	}
	if p.Issuer = c.text("oidc.issuer", issuer); p.Issuer != "" {
		u, err := url.Parse(p.Issuer)
		if err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil || u.Scheme != "https" {
			c.fault(issuer, "oidc.issuer", errs.Quote(p.Issuer)+" is no issuer", "an https address without a query, exactly as the provider writes it")
		} else {
			p.Name = cmp.Or(p.Name, u.Host)
		}
	}
	t.Provider = p
}

func (c *checker) session(t *Team, n *node) {
	idle, longest := 0, 0
	if n != nil {
		var idleNode, longestNode *node
		if !c.object("session", n, may("idle_minutes", &idleNode), may("longest_hours", &longestNode)) {
			return
		}
		idle, longest = c.number("session.idle_minutes", idleNode, 5, 24*60), c.number("session.longest_hours", longestNode, 1, 7*24)
	}
	t.Idle = time.Duration(cmp.Or(idle, defaultIdle)) * time.Minute
	t.Longest = time.Duration(cmp.Or(longest, defaultLongest)) * time.Hour
	if t.Idle > t.Longest {
		c.fault(n, "session", "a session would end before it is idle", "idle_minutes that are less than longest_hours")
	}
}

// origin reads the address that people open: https, the name of a host, and no path. A
// passkey is bound to a name, and to no address of IP.
func (c *checker) origin(field string, n *node) string {
	text := c.text(field, n)
	if text == "" {
		return ""
	}
	const allowed = "https:// and the name that people type, with the port unless it is 443, such as https://answers.example:8443"
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Path != "" && u.Path != "/" {
		c.fault(n, field, errs.Quote(text)+" is no address of a site", allowed)
		return ""
	}
	host := strings.ToLower(u.Hostname())
	if _, err := netip.ParseAddr(host); err == nil {
		c.fault(n, field, errs.Quote(host)+" is an address of IP, and passkeys are bound to names", allowed)
		return ""
	}
	port := u.Port()
	if port == "" || port == "443" {
		return "https://" + host
	}
	if number, err := strconv.ParseUint(port, 10, 16); err != nil || number == 0 {
		c.fault(n, field, errs.Quote(port)+" is no port", allowed)
		return ""
	}
	return "https://" + net.JoinHostPort(host, port)
}

// Host returns the name of the host in the URL, without its port.
func (t *Team) Host() string {
	u, err := url.Parse(t.URL)
	if err != nil { // it was read
		return ""
	}
	return u.Hostname()
}

// certificateSoon is how long before its end a certificate is spoken of.
const certificateSoon = 21 * 24 * time.Hour

// TLS reads certificate and key. It is Invalid if they do not belong together, are not
// for the host of the URL, or are not good now. soon is when the certificate ends if
// that is within three weeks, else zero.
func (t *Team) TLS(now time.Time) (cert tls.Certificate, soon time.Time, err error) {
	key, err := ReadSecret(t.Key)
	if err != nil {
		return cert, soon, fmt.Errorf("the TLS key: %w", err)
	}
	public, err := readLimited(t.Certificate, maxSecret)
	if err != nil {
		return cert, soon, fmt.Errorf("the certificate: %w", err)
	}
	if cert, err = tls.X509KeyPair(public, key); err != nil { // its text holds nothing of the key
		return cert, soon, errs.Wrap(err, errs.Invalid, fmt.Sprintf("%s and %s are no certificate and its key", strconv.Quote(t.Certificate), strconv.Quote(t.Key)),
			"PEM files as whoever issued the certificate gave them: the server's certificate first, and the key that it was asked for with")
	}
	leaf, err := x509.ParseCertificate(cert.Certificate[0])
	if err != nil {
		return cert, soon, errs.Wrap(err, errs.Invalid, strconv.Quote(t.Certificate)+" cannot be read", "")
	}
	cert.Leaf = leaf
	day := func(at time.Time) string { return at.UTC().Format("2006-01-02 15:04 UTC") }
	switch {
	case leaf.VerifyHostname(t.Host()) != nil:
		names := strings.Join(leaf.DNSNames, ", ")
		return cert, soon, errs.New(errs.Invalid, fmt.Sprintf("the certificate is not for %s, which is the host of the url", strconv.Quote(t.Host())),
			"it is for: "+cmp.Or(names, "no name of a host")+"; give one for that name, or a url with a name that it is for")
	case now.Before(leaf.NotBefore):
		return cert, soon, errs.New(errs.Invalid, "the certificate is not good before "+day(leaf.NotBefore), "is the clock of this machine right?")
	case !now.Before(leaf.NotAfter):
		return cert, soon, errs.New(errs.Invalid, "the certificate was good until "+day(leaf.NotAfter), "renew it, and start again")
	case leaf.NotAfter.Sub(now) < certificateSoon:
		soon = leaf.NotAfter
	}
	return cert, soon, nil
}

// Pool returns the authorities that the provider's certificate may come from, or nil
// for those of the machine.
func (p *Provider) Pool() (*x509.CertPool, error) {
	if p.Authorities == "" {
		return nil, nil
	}
	data, err := readLimited(p.Authorities, maxSecret)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(data) {
		return nil, errs.New(errs.Invalid, strconv.Quote(p.Authorities)+" holds no certificate", "a PEM file with the authorities that the provider's certificate comes from")
	}
	return pool, nil
}

// Secret returns the secret by which the provider knows this workspace.
func (p *Provider) Secret() (string, error) {
	secret, err := ReadSecret(p.ClientSecret)
	if err != nil {
		return "", fmt.Errorf("the secret of the provider: %w", err)
	}
	text := strings.TrimSpace(string(secret))
	if text == "" {
		return "", errs.New(errs.Invalid, strconv.Quote(p.ClientSecret)+" is empty", "the secret that the provider gave for this client")
	}
	return text, nil
}

// Write prints what would be used, one line a setting. It names files and shows
// nothing of what is in them.
func (t *Team) Write(w io.Writer) error {
	evidence := "none is read from the pages"
	if len(t.Evidence) > 0 {
		evidence = "below " + strings.Join(t.Evidence, ", ")
	}
	return writeRows(w, append(t.rows(), [2]string{"evidence", evidence}))
}

// rows are the settings by which several reach pages and enter them.
func (t *Team) rows() [][2]string {
	provider := "none; people sign in with passkeys"
	if t.Provider != nil {
		provider = fmt.Sprintf("%s, as client %s, secret in %s", t.Provider.Issuer, strconv.Quote(t.Provider.ClientID), t.Provider.ClientSecret)
	}
	format := "text"
	if t.Log.JSON {
		format = "JSON"
	}
	return [][2]string{
		{"url", t.URL},
		{"listen", t.Listen},
		{"certificate", t.Certificate},
		{"key", t.Key},
		{"oidc", provider},
		{"session", fmt.Sprintf("ends after %s without a request, and after %s", words(t.Idle), words(t.Longest))},
		{"connections", orDefault(t.Connections)},
		{"log", strings.ToLower(t.Log.Level.String()) + ", " + format},
	}
}

// writeRows prints settings, one line each.
func writeRows(w io.Writer, rows [][2]string) error {
	for _, row := range rows {
		if _, err := fmt.Fprintf(w, "%-11s %s\n", row[0], row[1]); err != nil {
			return err
		}
	}
	return nil
}

func words(d time.Duration) string {
	if d%time.Hour == 0 {
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
	return fmt.Sprintf("%d min", int(d.Minutes()))
}
