package daphttp_test

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/dap"
	"muster/internal/aggregate/aggregatetest"
	"muster/internal/coalition"
	"muster/internal/doctest"
	"muster/internal/keys"
)

const specs = "../../docs/spec"

func readSpec(t *testing.T, name string) []byte {
	t.Helper()
	src, err := os.ReadFile(filepath.Join(specs, name))
	must(t, err)
	return src
}

// An example is an http block: a request and the answer to it.
type example struct {
	line                    int
	method, url, media      string
	body                    string
	status, answer, answer2 string
}

func parseExample(t *testing.T, b doctest.Block) example {
	t.Helper()
	request, answer, ok := strings.Cut(b.Text, "\nHTTP/1.1 ")
	if !ok {
		t.Fatalf("line %d: an example without an answer", b.Line)
	}
	e := example{line: b.Line}
	head, body, _ := strings.Cut(request, "\n\n")
	e.body = strings.TrimSpace(body)
	r := bufio.NewScanner(strings.NewReader(head))
	r.Scan()
	e.method, e.url, _ = strings.Cut(r.Text(), " ")
	r.Scan()
	e.media = strings.TrimPrefix(r.Text(), "Content-Type: ")
	head, body, _ = strings.Cut(answer, "\n\n")
	e.status, e.answer, _ = strings.Cut(head, "\nContent-Type: ")
	e.status, e.answer, e.answer2 = strings.TrimSpace(e.status), strings.TrimSpace(e.answer), strings.TrimSpace(body)
	return e
}

// TestReceiptsSpec sends every example of docs/spec/receipts.md, in order, to
// running hosts.
func TestReceiptsSpec(t *testing.T) {
	t.Parallel()
	const members = 3
	n := newNetwork(t, setup{members: members})
	var sealed []aggregatetest.Submission
	for i := range members {
		sealed = append(sealed, n.Seal(aggregatetest.Member(i), 1, aggregatetest.Answers(i)))
		if i > 0 {
			must(t, n.Deliver(sealed[i]))
		} else {
			must(t, n.Upload(sealed[i].Report))
		}
	}
	words := map[string]string{
		"{leader}": strings.TrimSuffix(string(n.leaderURL), "/"), "{helper}": strings.TrimSuffix(string(n.helperURL), "/"),
		"{task}": n.Task().ID.String(),
	}
	signed := func(name string, body, signature []byte) {
		quoted, err := json.Marshal(string(signature))
		must(t, err)
		text := strings.Trim(string(quoted), `"`)
		switch name {
		case "":
			words["{receipt}"], words["{signature}"] = base64url(body), text
			words["{receipt digest}"] = keys.Digest(body)
		case "other":
			words["{other signature}"] = text
		case "both":
			words["{both signatures}"] = text
		case "roster":
			words["{roster}"], words["{roster signature}"] = base64url(body), text
		default:
			words["{"+name+" receipt}"], words["{"+name+" roster}"], words["{"+name+"}"] = base64url(body), base64url(body), base64url(body)
			words["{"+name+" signature}"] = text
		}
	}
	signed("", sealed[0].Receipt.Body, sealed[0].Receipt.Signature)
	for i, role := range []dap.Role{dap.RoleLeader, dap.RoleHelper} {
		r, err := sealed[0].Receipt.Open(n.Task().ID, n.Task().MemberKey)
		must(t, err)
		ack, err := r.Acknowledge(sealed[0].Receipt.Digest(), 1, role, n.Host[i].Signer)
		must(t, err)
		file, _, err := ack.Signed()
		must(t, err)
		signed(role.String()+" acknowledgement", file.Body, file.Signature)
	}
	signed("other", nil, sealed[1].Receipt.Signature)
	late := n.Seal(aggregatetest.Member(0), 2, aggregatetest.Answers(7)).Receipt
	signed("late", late.Body, late.Signature)
	roster := func(all []aggregatetest.Submission) coalition.SignedRoster {
		var entries []coalition.RosterEntry
		for _, s := range all {
			entries = append(entries, coalition.RosterEntry{Member: s.Member, Report: s.Report.ReportMetadata.ReportID.String(), Sequence: 1, Receipt: s.Receipt.Digest()})
		}
		body, err := keys.Canonical(coalition.NewRoster(n.Task().ID, entries))
		must(t, err)
		sig, err := keys.Sign(keys.KindRoster, body, n.Host[0].Signer)
		must(t, err)
		return coalition.SignedRoster{Body: body, Signature: sig}
	}
	whole := roster(sealed)
	signed("roster", whole.Body, whole.Signature)
	words["{roster digest}"] = whole.Digest()
	short := roster([]aggregatetest.Submission{sealed[0], sealed[2]})
	signed("short", short.Body, short.Signature)
	both, err := keys.Cosign(keys.KindRoster, whole.Body, whole.Signature, n.Host[1].Signer)
	must(t, err)
	signed("both", nil, both)

	const postponed = aggregatetest.Deadline + 7*24*3600
	addendum, err := n.Charter.Postpone(nil, time.Unix(postponed, 0), "a storm")
	must(t, err)
	first, err := addendum.Sign(n.Coordinator, n.Host[0].Signer, n.Host[1].Signer)
	must(t, err)
	signed("addendum", first.Body, first.Signature)
	addendum, err = n.Charter.Postpone([]coalition.SignedAddendum{first}, time.Unix(postponed+1, 0), "a flood")
	must(t, err)
	body, err := keys.Canonical(addendum)
	must(t, err)
	sig, err := keys.Sign(keys.KindAddendum, body, n.Coordinator, n.Host[0].Signer)
	must(t, err)
	signed("next addendum", body, sig)

	strangers := map[int]bool{8: true} // whose examples have no certificate although the resource needs one
	before := map[int]func(){
		3: func() { n.Now.Store(aggregatetest.Deadline) },
		8: func() { n.Now.Store(postponed) },
		13: func() {
			_, err := n.Leader.Freeze(t.Context())
			must(t, err)
			must(t, n.Leader.Aggregate(t.Context()))
			_, _, err = n.Collected()
			must(t, err)
			body, err := keys.Canonical(coalition.NewAmendment(n.Task().ID, whole, nil,
				[]coalition.Strike{{Member: sealed[0].Member, Report: sealed[0].Report.ReportMetadata.ReportID.String(), Reason: "vdaf_verify_error"}}))
			must(t, err)
			sig, err := keys.Sign(keys.KindAmendment, body, n.Host[0].Signer)
			must(t, err)
			signed("amendment", body, sig)
		},
	}
	fill := func(text string) string {
		for name, value := range words {
			text = strings.ReplaceAll(text, name, value)
		}
		return text
	}
	i := 0
	for _, b := range doctest.Blocks("receipts.md", readSpec(t, "receipts.md")) {
		if b.Lang != "http" {
			continue
		}
		if prepare := before[i]; prepare != nil {
			prepare()
		}
		e := parseExample(t, b)
		var cert *tls.Certificate
		switch {
		case strangers[i]:
		case e.method == "GET":
			cert = &n.coordinatorCert
		case strings.HasSuffix(e.url, "/receipts"), strings.HasSuffix(e.url, "/addenda"):
		default:
			cert = &n.leaderCert
		}
		for range 2 { // each may be repeated
			got, err := n.raw(exchange{method: e.method, url: fill(e.url), header: http.Header{"Content-Type": {e.media}}, body: strings.NewReader(fill(e.body)), cert: cert})
			must(t, err)
			if http.StatusText(got.status) == "" || e.status != strings.Fields(e.status)[0] || e.status != jsonNumber(got.status) || got.header.Get("Content-Type") != e.answer {
				t.Errorf("line %d: the answer is %d %s: %s", e.line, got.status, got.header.Get("Content-Type"), got.body)
			}
			if diff := cmp.Diff(object(t, e.line, fill(e.answer2)), object(t, e.line, string(got.body))); diff != "" {
				t.Errorf("line %d (-the document +the host):\n%s", e.line, diff)
			}
		}
		i++
	}
	if i != 15 {
		t.Errorf("%d examples", i)
	}
}

func jsonNumber(n int) string {
	b, _ := json.Marshal(n)
	return string(b)
}

// object reads JSON; what is different each time becomes {any}.
func object(t *testing.T, line int, text string) map[string]any {
	t.Helper()
	if text == "" {
		return nil
	}
	var m map[string]any
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		t.Fatalf("line %d: %v in %s", line, err, text)
	}
	if _, ok := m["instance"]; ok {
		m["instance"] = "{any}"
	}
	return m
}

// TestFileExamples: the receipt, its acknowledgement and the addendum in the document are what the
// code writes.
func TestFileExamples(t *testing.T) {
	t.Parallel()
	fill := func(b byte) (d [32]byte) { copy(d[:], bytes.Repeat([]byte{b}, 32)); return d }
	var want []string
	for _, v := range []any{
		coalition.NewReceipt(fill(9), "Alpha", 3, 1_790_000_000, dap.ReportID(bytes.Repeat([]byte{7}, 16)), fill(1), fill(2)),
		coalition.Held{
			Kind: "muster receipt acknowledgement v1", Host: "leader", Receipt: strings.Repeat("03", 32),
			Report: dap.ReportID(bytes.Repeat([]byte{7}, 16)).String(), Sequence: 3, Task: dap.TaskID(fill(9)).String(),
		},
		coalition.Addendum{Kind: "muster addendum v1", Charter: strings.Repeat("01", 32), Number: 1, Deadline: 1_793_024_000, Reason: "a storm has cut the cable to two members"},
	} {
		body, err := keys.Canonical(v)
		must(t, err)
		want = append(want, string(body))
	}
	var got []string
	for _, b := range doctest.Blocks("receipts.md", readSpec(t, "receipts.md")) {
		if b.Lang == "json" {
			var compact bytes.Buffer
			must(t, json.Compact(&compact, []byte(b.Text)))
			got = append(got, compact.String())
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-the code +the document:\n%s", diff)
	}
}

// TestResourcesInSpec: the table of resources and that of refusals are those of
// the code.
func TestResourcesInSpec(t *testing.T) {
	t.Parallel()
	src := string(readSpec(t, "receipts.md"))
	for _, r := range resources {
		if !strings.Contains(r.path, "receipts") && !strings.Contains(r.path, "roster") && !strings.Contains(r.path, "amendments") && !strings.Contains(r.path, "addenda") && !strings.Contains(r.path, "standing") {
			continue
		}
		for method := range r.methods {
			row := "| `{" + r.host + "}" + strings.NewReplacer("TASK", "{task}", "ID", "{id}").Replace(r.path) + "` | " + method + " |"
			if !strings.Contains(src, row) {
				t.Errorf("no row %s", row)
			}
		}
	}
}

// TestStatusesInSpec: the table of refusals has the statuses that this package can
// send, and no other: those of its source, and those of the kinds of refusal,
// which errs and the source share.
func TestStatusesInSpec(t *testing.T) {
	t.Parallel()
	documented := make(map[int]bool)
	for _, m := range regexp.MustCompile(`(?m)^\| ([45]\d\d) \| [^|]+ \| (?:yes|no) \|$`).FindAllSubmatch(readSpec(t, "receipts.md"), -1) {
		status, err := strconv.Atoi(string(m[1]))
		must(t, err)
		documented[status] = true
	}
	byName := make(map[string]int)
	for status := 100; status < 600; status++ {
		if text := http.StatusText(status); text != "" {
			byName["Status"+strings.NewReplacer(" ", "", "-", "", "'", "").Replace(text)] = status
		}
	}
	files, err := filepath.Glob("*.go")
	must(t, err)
	sent := make(map[int]bool)
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		must(t, err)
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl: // what a client reads
				return n.Name.Name != "kindOf" && name != "client.go"
			case *ast.SelectorExpr:
				if x, ok := n.X.(*ast.Ident); ok && x.Name == "http" && strings.HasPrefix(n.Sel.Name, "Status") && n.Sel.Name != "StatusText" {
					status, ok := byName[n.Sel.Name]
					if !ok {
						t.Errorf("%s: %s is not known", name, n.Sel.Name)
					}
					if status >= 400 {
						sent[status] = true
					}
				}
			}
			return true
		})
	}
	if diff := cmp.Diff(sent, documented); diff != "" {
		t.Errorf("the table of refusals (-sent +documented):\n%s", diff)
	}
}

// TestConformanceTable: every test that docs/spec/dap-conformance.md names
// exists, and every section of the draft that says something to a host, a
// client or a collector has a row.
func TestConformanceTable(t *testing.T) {
	t.Parallel()
	names := make(map[string]map[string]bool) // tests by package
	for _, dir := range []string{"dap", "vdaf", "internal/aggregate", "internal/daphttp", "internal/coalition", "internal/submit", "internal/collect", "test/fault"} {
		names[filepath.Base(dir)] = tests(t, filepath.Join("../..", dir))
	}
	src := string(readSpec(t, "dap-conformance.md"))
	named := regexp.MustCompile("`([a-z]+)\\.((?:Test|Fuzz|Example)[A-Za-z0-9_]*)`")
	found := 0
	for i, line := range strings.Split(src, "\n") {
		if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| section") {
			continue
		}
		matches := named.FindAllStringSubmatch(line, -1)
		if len(matches) == 0 && !strings.Contains(line, "| - |") {
			t.Errorf("line %d names no test: %s", i+1, line)
		}
		for _, m := range matches {
			found++
			if !names[m[1]][m[2]] {
				t.Errorf("line %d: there is no test %s in package %s", i+1, m[2], m[1])
			}
		}
	}
	if found < 60 {
		t.Errorf("the table names %d tests", found)
	}
	for _, section := range sections {
		if !strings.Contains(src, "| "+section+" ") {
			t.Errorf("no row for section %s", section)
		}
	}
}

// sections are those of draft-ietf-ppm-dap-18 that hold a requirement.
var sections = []string{
	"3", "3.1", "3.2", "3.3", "3.5", "3.6", "4.1", "4.1.1", "4.1.2", "4.2", "4.2.1", "4.2.2", "4.2.3", "4.3", "4.4.1", "4.4.2", "4.4.3", "4.5", "4.5.1", "4.5.2", "4.5.3", "4.5.3.1", "4.5.3.2", "4.5.3.3", "4.5.3.4", "4.5.4", "4.5.4.3", "4.5.4.4", "4.5.5",
	"4.6.1", "4.6.2", "4.6.3", "4.6.4", "4.6.5", "4.6.6", "4.6.7", "5.1", "5.2", "6.1", "6.2", "6.3", "6.4", "7", "8",
	"8.1", "8.2", "8.3", "8.4", "8.5", "8.6", "8.7", "9.1", "9.2", "12",
}

func tests(t *testing.T, dir string) map[string]bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	must(t, err)
	found := make(map[string]bool)
	for _, name := range files {
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		must(t, err)
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil {
				found[fn.Name.Name] = true
			}
		}
	}
	return maps.Clone(found)
}
