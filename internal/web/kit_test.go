package web_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"html/template"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/internal/web"
)

func kit(t testing.TB) *web.Kit {
	t.Helper()
	k, err := web.New(web.Config{})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// locale returns a page's message files.
func locale(en, fr string) fs.FS {
	return fstest.MapFS{"en.yaml": {Data: []byte(en)}, "fr.yaml": {Data: []byte(fr)}}
}

func TestMessages(t *testing.T) {
	t.Parallel()
	k, err := web.New(web.Config{Locales: []fs.FS{locale(
		"ports: {one: '{{.N}} port of {{.Of}}', other: '{{.N}} ports of {{.Of}}'}\nask: 'Ready?'\n",
		"ports: {one: '{{.N}} port sur {{.Of}}', other: '{{.N}} ports sur {{.Of}}'}\nask: 'Prêt ?'\n",
	)}})
	if err != nil {
		t.Fatal(err)
	}
	en, fr := k.Printer("en"), k.Printer("fr")
	for _, row := range []struct{ name, got, want string }{
		{"one", en.N("ports", 1, "Of", 3), "1 port of 3"},
		{"many", en.N("ports", 12345, "Of", 2000000), "12,345 ports of 2,000,000"},
		{"none in English", en.N("ports", 0, "Of", 3), "0 ports of 3"},
		{"none in French", fr.N("ports", 0, "Of", 3), "0 port sur 3"},
		{"many in French", fr.N("ports", 12345, "Of", 9), "12\u202f345 ports sur 9"},
		{"a round million in French", fr.N("ports", 1000000, "Of", 9), "1\u202f000\u202f000 ports sur 9"},
		{"a year", en.Number(2026), "2026"},
		{"fixed", en.T("ask"), "Ready?"},
		{"French typography", fr.T("ask"), "Prêt\u202f?"},
		{"list of none", en.List(nil), ""},
		{"list of one", en.List([]string{"a"}), "a"},
		{"list of three", fr.List([]string{"a", "b", "c"}), "a, b et c"},
		{"either of two", en.Either([]string{"a", "b"}), "a or b"},
		{"another language", k.Printer("de").T("ask"), "Ready?"},
	} {
		if row.got != row.want {
			t.Errorf("%s: got %q, want %q", row.name, row.got, row.want)
		}
	}
}

func TestMessagesThatAreRefused(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name    string
		locales []fs.FS
		want    string
	}{
		{"missing in French", []fs.FS{locale("a: x\nb: y\n", "a: x\n")}, "messages differ between en and fr: b"},
		{"missing in English", []fs.FS{locale("a: x\n", "a: x\nb: y\n")}, "messages differ between en and fr: b"},
		{"twice", []fs.FS{locale("a: x\n", "a: x\n"), locale("a: x\n", "a: x\n")}, "messages en.yaml: a appears twice"},
		{"no file", []fs.FS{fstest.MapFS{}}, "messages: open en.yaml"},
		{"no YAML", []fs.FS{locale("a: [", "a: x\n")}, "messages en.yaml: "},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			_, err := web.New(web.Config{Locales: row.locales})
			if err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("got %v, want %q", err, row.want)
			}
		})
	}
}

func TestNegotiate(t *testing.T) {
	t.Parallel()
	k := kit(t)
	for header, want := range map[string]string{
		"":                        "en",
		"fr":                      "fr",
		"fr-CA,fr;q=0.9,en;q=0.8": "fr",
		"de-DE,de;q=0.9":          "en",
		"de,fr;q=0.5,en;q=0.1":    "fr",
		"garbage;;;q=x":           "en",
	} {
		if got := k.Negotiate(header); got != want {
			t.Errorf("%q: got %s, want %s", header, got, want)
		}
	}
}

func TestShowSaysTheLanguage(t *testing.T) {
	t.Parallel()
	k := kit(t)
	text := web.Text{In: map[string]string{"en": `Ports <&"`, "fr": "Ports"}, First: "en"}
	only := web.Text{In: map[string]string{"en": "Strategy <b>"}, First: "en"}
	for _, row := range []struct {
		name      string
		got, want template.HTML
	}{
		{"its own", k.Printer("fr").Show(text), "Ports"},
		{"escaped", k.Printer("en").Show(text), "Ports &lt;&amp;&#34;"},
		{"another's", k.Printer("fr").Show(only), `<span lang="en">Strategy &lt;b&gt;</span>`},
	} {
		if row.got != row.want {
			t.Errorf("%s: got %q, want %q", row.name, row.got, row.want)
		}
	}
}

// What a browser is told to trust is what is there, and nothing is fetched from
// anywhere else.
func TestAssets(t *testing.T) {
	t.Parallel()
	k := kit(t)
	mux := http.NewServeMux()
	k.Assets.Register(mux)
	server := httptest.NewServer(mux)
	defer server.Close()
	css := fetch(t, server.URL+k.Assets.Style, http.StatusOK)
	if got := css.header.Get("Cache-Control"); got != "public, max-age=31536000, immutable" {
		t.Errorf("Cache-Control %q", got)
	}
	urls := regexp.MustCompile(`url\(([^)]*)\)`).FindAllStringSubmatch(css.body, -1)
	if len(urls) != 1 {
		t.Fatalf("the stylesheet names %d files, want its font alone", len(urls))
	}
	if font := fetch(t, server.URL+urls[0][1], http.StatusOK); !strings.HasPrefix(font.body, "wOF2") {
		t.Error("the font is no WOFF2")
	}
	if strings.Contains(css.body, "@import") || strings.Contains(css.body, "http") {
		t.Error("the stylesheet fetches something else")
	}
	fetch(t, server.URL+k.Assets.Icon, http.StatusOK)
	fetch(t, server.URL+"/asset/muster.css", http.StatusNotFound)

	inline := string(k.Assets.Inline())
	sum := sha256.Sum256([]byte(inline))
	if want := "style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"; !strings.Contains(k.Assets.InlinePolicy(), want) {
		t.Errorf("policy %q, want %q in it", k.Assets.InlinePolicy(), want)
	}
	if !strings.Contains(inline, "url(data:font/woff2;base64,") || strings.Contains(inline, "</") {
		t.Error("the stylesheet of a file does not hold its font, or ends itself")
	}
}

type answer struct {
	header http.Header
	body   string
}

func fetch(t *testing.T, url string, status int) answer {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != status {
		t.Fatalf("%s: %s, want %d", url, resp.Status, status)
	}
	return answer{resp.Header, string(body)}
}

func TestLoopback(t *testing.T) {
	t.Parallel()
	served := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8337}
	h := web.Loopback(served, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "secret")
	}))
	for _, row := range []struct {
		name, method, host string
		want               int
	}{
		{"by number", "GET", "127.0.0.1:8337", 200},
		{"by name", "GET", "localhost:8337", 200},
		{"by name, loudly", "HEAD", "LOCALHOST:8337", 200},
		{"by number of the other kind", "GET", "[::1]:8337", 200},
		{"rebound", "GET", "evil.example:8337", 421},
		{"rebound to the number's port", "GET", "127.0.0.1.evil.example:8337", 421},
		{"without a port", "GET", "127.0.0.1", 421},
		{"another port", "GET", "127.0.0.1:80", 421},
		{"none", "GET", "", 421},
		{"changes something", "POST", "127.0.0.1:8337", 405},
		{"changes something from elsewhere", "POST", "evil.example:8337", 421},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest(row.method, "/", nil)
			r.Host = row.host
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != row.want {
				t.Errorf("got %d, want %d", w.Code, row.want)
			}
			if row.want != 200 && strings.Contains(w.Body.String(), "secret") {
				t.Error("the page was read")
			}
		})
	}
}

func TestServeEnds(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	slow := make(chan struct{})
	ended := make(chan error, 1)
	go func() {
		ended <- web.Serve(ctx, l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/slow" {
				close(slow)
				<-r.Context().Done() // until the server gives up on it
			}
			_, _ = io.WriteString(w, "ok")
		}))
	}()
	if got := fetch(t, "http://"+l.Addr().String()+"/", http.StatusOK); got.body != "ok" {
		t.Errorf("served %q", got.body)
	}
	client := make(chan struct{})
	go func() {
		defer close(client)
		if resp, err := http.Get("http://" + l.Addr().String() + "/slow"); err == nil {
			resp.Body.Close()
		}
	}()
	<-slow
	stop()
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("a slow reader keeps the server up")
	}
	<-client
	if _, err := net.Dial("tcp", l.Addr().String()); err == nil {
		t.Error("the address is still served")
	}
}

func TestServeSaysWhyItBroke(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	if err := web.Serve(t.Context(), l, http.NotFoundHandler()); err == nil {
		t.Error("a closed listener serves")
	}
}

func TestSecureHeaders(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	web.Secure(http.NotFoundHandler()).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	got := make(map[string]string)
	for name := range w.Header() {
		got[name] = w.Header().Get(name)
	}
	want := map[string]string{
		"Content-Security-Policy":      web.Policy,
		"X-Content-Type-Options":       "nosniff",
		"Referrer-Policy":              "no-referrer",
		"Cross-Origin-Opener-Policy":   "same-origin",
		"Cross-Origin-Resource-Policy": "same-origin",
		"Permissions-Policy":           "camera=(), geolocation=(), microphone=()",
		"Cache-Control":                "no-store",
		"Content-Type":                 "text/plain; charset=utf-8",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	for _, rule := range []string{"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"} {
		if !slices.Contains(strings.Split(web.Policy, "; "), rule) {
			t.Errorf("the policy does not say %s", rule)
		}
	}
	if strings.Contains(web.Policy, "unsafe") || strings.Contains(web.Policy, "script-src") {
		t.Error("the policy lets scripts or inline styles in")
	}
}

// A fault while drawing is no half page, and its cause stays inside.
func TestRenderFault(t *testing.T) {
	t.Parallel()
	page := template.Must(template.New("x").Parse(`{{define "layout"}}half {{.Missing.Secret}}{{end}}`))
	w := httptest.NewRecorder()
	if err := web.Render(w, http.StatusOK, page, struct{}{}); err == nil {
		t.Error("no error for the log")
	}
	if w.Code != 500 || strings.Contains(w.Body.String(), "half") || strings.Contains(w.Body.String(), "Secret") {
		t.Errorf("answered %d: %s", w.Code, w.Body)
	}
	var b bytes.Buffer
	if err := web.Draw(&b, nil, nil); err == nil {
		t.Error("a page without a template is drawn")
	}
}

func TestWindowTitle(t *testing.T) {
	t.Parallel()
	for want, page := range map[string]web.Page{
		"Method":                         {Title: "Method"},
		"Method · Sea":                   {Title: "Method", Brand: "Sea"},
		"Sea":                            {Title: "Sea", Brand: "Sea"},
		"SYNTHETIC · Method · Sea":       {Title: "Method", Brand: "Sea", Marking: "SYNTHETIC"},
		"OFFICIAL: DRAFT · Method · Sea": {Title: "Method", Brand: "Sea", Marking: "OFFICIAL: DRAFT"},
	} {
		if got := page.WindowTitle(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if got := (web.Page{Marking: `x" onload="`}).MarkingClass(); got != "" {
		t.Errorf("a marking became the class %q", got)
	}
}
