package coalition_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/dap"
	"muster/internal/coalition"
	"muster/internal/errs"
	"muster/internal/keys"
)

func TestCharterSignAndOpen(t *testing.T) {
	t.Parallel()
	c, p := newCharter(t)
	signed := p.sign(t, c)
	got, err := signed.Open()
	must(t, err)
	if diff := cmp.Diff(c, got); diff != "" {
		t.Errorf("charter (-want +got):\n%s", diff)
	}
	if digest, err := got.Digest(); err != nil || digest != signed.Digest() {
		t.Errorf("the charter's digest is %s, %v; the file's %s", digest, err, signed.Digest())
	}
}

// All three must have signed, these very bytes, as a charter.
func TestCharterSignatures(t *testing.T) {
	t.Parallel()
	c, p := newCharter(t)
	signed := p.sign(t, c)
	all := []*keys.Signer{p.coordinator, p.leader, p.helper}
	names := []string{"coordinator", "leader", "helper"}
	sign := func(kind keys.Kind, signers ...*keys.Signer) []byte {
		sig, err := keys.Sign(kind, signed.Body, signers...)
		must(t, err)
		return sig
	}
	for i, name := range names {
		others := slices.Delete(slices.Clone(all), i, i+1)
		_, err := coalition.SignedCharter{Body: signed.Body, Signature: sign(keys.KindCharter, others...)}.Open()
		wantKind(t, "without the "+name, err, errs.Invalid)
		if err != nil && !strings.Contains(err.Error(), name) {
			t.Errorf("without the %s: %v does not name it", name, err)
		}
		stranger := append(others, newSigner(t, "stranger"))
		_, err = coalition.SignedCharter{Body: signed.Body, Signature: sign(keys.KindCharter, stranger...)}.Open()
		wantKind(t, "a stranger in place of the "+name, err, errs.Invalid)

		twins := slices.Clone(all)
		var errTwin error
		twins[i], errTwin = keys.Generate(newRand("twin"), name)
		must(t, errTwin)
		_, err = coalition.SignedCharter{Body: signed.Body, Signature: sign(keys.KindCharter, twins...)}.Open()
		wantKind(t, "another key by the name of the "+name, err, errs.Invalid)
		if _, err := c.Sign(twins[0], twins[1], twins[2]); err == nil {
			t.Errorf("Sign took another key for the %s than the charter's", name)
		}
	}
	_, err := coalition.SignedCharter{Body: signed.Body, Signature: sign(keys.KindRoster, all...)}.Open()
	wantKind(t, "signed as a roster", err, errs.Invalid)
	_, err = coalition.SignedCharter{Body: signed.Body}.Open()
	wantKind(t, "not signed", err, errs.Invalid)
	_, err = coalition.SignedCharter{Body: append(slices.Clone(signed.Body), '\n'), Signature: signed.Signature}.Open()
	wantKind(t, "a line end behind", err, errs.Invalid)
	_, err = coalition.SignedCharter{Body: bytes.Replace(signed.Body, []byte(`,`), []byte(`, `), 1), Signature: signed.Signature}.Open()
	wantKind(t, "another form", err, errs.Invalid)
	_, err = coalition.SignedCharter{Body: bytes.Replace(signed.Body, []byte("2026"), []byte("2027"), 1), Signature: signed.Signature}.Open()
	wantKind(t, "changed", err, errs.Invalid)
}

// leaves calls each for every string, number and empty list in a JSON value with its path
// and with a function that replaces it.
func leaves(value any, path string, set func(any), each func(path string, value any, set func(any))) {
	switch v := value.(type) {
	case map[string]any:
		for key := range v {
			leaves(v[key], strings.TrimPrefix(path+"."+key, "."), func(x any) { v[key] = x }, each)
		}
	case []any:
		for i := range v {
			leaves(v[i], fmt.Sprintf("%s.%d", path, i), func(x any) { v[i] = x }, each)
		}
	default:
		each(path, value, set)
	}
}

// Every field of a charter is either bound to the others or free. This is the
// list of the free ones: whoever adds a field says here which it is. A change of
// a free field changes the digest that members compare.
func TestEveryFieldOfTheCharter(t *testing.T) {
	t.Parallel()
	c, p := newCharter(t)
	signed := p.sign(t, c)
	want := []string{
		"coalition", "cycle", "marking", "framework.id", "framework.version", "framework.digest", "opens", "deadline", "wipe",
		"coordinator.hpke_config", "leader.hpke_configs", "helper.hpke_configs", "leader.member", "helper.member",
		"cohorts.0.release_minimum", "cohorts.1.release_minimum", "witnesses.threshold",
	}
	for i, cohort := range c.Cohorts {
		for j := range cohort.Members {
			want = append(want, fmt.Sprintf("cohorts.%d.members.%d.id", i, j))
		}
	}
	var document any
	decoder := json.NewDecoder(bytes.NewReader(signed.Body))
	decoder.UseNumber()
	must(t, decoder.Decode(&document))
	var free []string
	leaves(document, "", nil, func(path string, value any, set func(any)) {
		switch v := value.(type) {
		case json.Number:
			n, err := v.Int64()
			must(t, err)
			set(n + 1)
		case string:
			if strings.HasSuffix(path, ".id") { // the list stays in order
				set(v + "x")
				break
			}
			i := len(v) / 2
			replacement := "b"
			if v[i] == 'b' {
				replacement = "c"
			}
			set(v[:i] + replacement + v[i+1:])
		default:
			t.Fatalf("%s is a %T", path, v)
		}
		defer set(value)
		body, err := keys.Canonical(document)
		must(t, err)
		sig, err := keys.Sign(keys.KindCharter, body, p.coordinator, p.leader, p.helper)
		must(t, err)
		changed := coalition.SignedCharter{Body: body, Signature: sig}
		if _, err := changed.Open(); err != nil {
			if errs.KindOf(err) != errs.Invalid {
				t.Errorf("%s: error of kind %v: %v", path, errs.KindOf(err), err)
			}
			return
		}
		free = append(free, path)
		if changed.Digest() == signed.Digest() {
			t.Errorf("%s: the changed charter has the same digest", path)
		}
	})
	for _, who := range []string{"leader", "helper", "coordinator"} { // any other digest is as good
		want = append(want, who+".certificate")
	}
	slices.Sort(free)
	slices.Sort(want)
	if diff := cmp.Diff(want, free); diff != "" {
		t.Errorf("free fields (-want +got):\n%s", diff)
	}
}

// A missing or unknown field is not a charter in another form.
func TestCharterFieldsMissing(t *testing.T) {
	t.Parallel()
	c, p := newCharter(t)
	signed := p.sign(t, c)
	var document map[string]any
	must(t, json.Unmarshal(signed.Body, &document))
	open := func(document map[string]any) error {
		body, err := keys.Canonical(document)
		must(t, err)
		sig, err := keys.Sign(keys.KindCharter, body, p.coordinator, p.leader, p.helper)
		must(t, err)
		_, err = coalition.SignedCharter{Body: body, Signature: sig}.Open()
		return err
	}
	if err := open(document); err != nil {
		t.Fatalf("the charter itself: %v", err)
	}
	for key, value := range document {
		delete(document, key)
		if key != "marking" { // there is none in a cycle that counts
			wantKind(t, "without "+key, open(document), errs.Invalid)
		}
		document[key] = value
	}
	document["note"] = "x"
	wantKind(t, "with an unknown field", open(document), errs.Invalid)
}

func TestCharterCheck(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		change  func(c *coalition.Charter)
		message string // part of it
	}{
		"another kind":             {func(c *coalition.Charter) { c.Kind = "muster charter v2" }, "is of kind"},
		"one member as both hosts": {func(c *coalition.Charter) { c.Helper.Member = c.Leader.Member }, "one member as both hosts"},
		"both hosts but for case":  {func(c *coalition.Charter) { c.Helper.Member = "A00" }, "one member as both hosts"},
		"host without a name":      {func(c *coalition.Charter) { c.Helper.Member = "" }, "which is no member name"},
		"host with a bidi name":    {func(c *coalition.Charter) { c.Leader.Member = "a\u202eb" }, "which is no member name"},
		"one key for both hosts":   {func(c *coalition.Charter) { c.Helper.Key = c.Leader.Key }, "two roles one key"},
		"coordinator as Leader":    {func(c *coalition.Charter) { c.Leader.Key = c.Coordinator.Key }, "two roles one key"},
		"coordinator as Helper":    {func(c *coalition.Charter) { c.Helper.Key = c.Coordinator.Key }, "two roles one key"},
		"one key under two names": {func(c *coalition.Charter) {
			twin, err := keys.Generate(newRand("leader"), "another name")
			must(t, err)
			c.Helper.Key = twin.Public()
		}, "two roles one key"},
		"no key of the Helper":     {func(c *coalition.Charter) { c.Helper.Key = "" }, "is not a public key"},
		"opens at its deadline":    {func(c *coalition.Charter) { c.Opens = c.Deadline }, "does not open before"},
		"deadline at its wipe":     {func(c *coalition.Charter) { c.Deadline = c.Wipe }, "does not open before"},
		"opens before the tasks":   {func(c *coalition.Charter) { c.Opens -= precision }, "does not cover the cycle"},
		"wipe after the tasks":     {func(c *coalition.Charter) { c.Wipe += 10 * precision }, "does not cover the cycle"},
		"opens before 1970":        {func(c *coalition.Charter) { c.Opens = -1 }, "does not cover the cycle"},
		"a coalition of controls":  {func(c *coalition.Charter) { c.Coalition = "Sea\x1b[2J" }, "has a coalition whose name"},
		"no cycle":                 {func(c *coalition.Charter) { c.Cycle = "" }, "has a cycle whose name"},
		"a path as framework":      {func(c *coalition.Charter) { c.Framework.ID = strings.Repeat("../", 30) }, "has a framework whose name"},
		"a version of nothing":     {func(c *coalition.Charter) { c.Framework.Version = "\u202e1" }, "has a version of its framework whose name"},
		"a marking with a line":    {func(c *coalition.Charter) { c.Marking = "SYNTHETIC\nnot" }, "is marked"},
		"no cohort":                {func(c *coalition.Charter) { c.Cohorts = nil }, "has no cohort"},
		"a cohort twice":           {func(c *coalition.Charter) { c.Cohorts[1].ID = "members" }, `two cohorts "members"`},
		"a cohort without id":      {func(c *coalition.Charter) { c.Cohorts[1].ID = "" }, "is empty"},
		"a cohort with a bidi id":  {func(c *coalition.Charter) { c.Cohorts[1].ID = "a\u202eb" }, "direction"},
		"more witnesses than keys": {func(c *coalition.Charter) { c.Witnesses.Threshold = 3 }, "wants 3 of 2 witnesses"},
		"less than no witness":     {func(c *coalition.Charter) { c.Witnesses.Threshold = -1 }, "wants -1 of 2 witnesses"},
		"a witness twice":          {func(c *coalition.Charter) { c.Witnesses.Keys[1] = c.Witnesses.Keys[0] }, "twice"},
		"a broken witness":         {func(c *coalition.Charter) { c.Witnesses.Keys[1] = "witness" }, "is not the public key of a witness"},
		"a witness in two forms":   {func(c *coalition.Charter) { c.Witnesses.Keys[1] = cosigner(c.Witnesses.Keys[0]) }, "twice"},
		"the coordinator's key":    {func(c *coalition.Charter) { c.Witnesses.Keys[1] = c.Coordinator.Key }, "has the key of the coordinator as a witness"},
		"the ledger as a witness":  {func(c *coalition.Charter) { c.Witnesses.Log = c.Witnesses.Keys[0] }, "has the key of the ledger as a witness"},
		"a broken ledger":          {func(c *coalition.Charter) { c.Witnesses.Log = "ledger" }, "is not a public key"},
		"a broken pin":             {func(c *coalition.Charter) { c.Leader.Certificate = "00" }, "no SHA-256"},
		"a pin in capitals":        {func(c *coalition.Charter) { c.Leader.Certificate = strings.Repeat("AB", 32) }, "no SHA-256"},
		"release of no cohort":     {func(c *coalition.Charter) { c.Releases = []string{"guests"} }, `a release of "guests"`},
		"a release twice":          {func(c *coalition.Charter) { c.Releases = []string{"members", "members"} }, "two releases"},
		"minimum below two thirds": {func(c *coalition.Charter) {
			c.Cohorts[0].MinimumBatch = 7
			configure(t, c, 0, func(*dap.TaskConfiguration) {})
		}, "collects members from 7 of 12"},
		"minimum above the cohort": {func(c *coalition.Charter) {
			c.Cohorts[0].MinimumBatch = 13
			configure(t, c, 0, func(*dap.TaskConfiguration) {})
		}, "collects members from 13 of 12"},
		"nobody in a cohort": {func(c *coalition.Charter) {
			c.Cohorts[1].Members, c.Cohorts[1].MinimumBatch = nil, 0
			configure(t, c, 1, func(t *dap.TaskConfiguration) { t.MinBatchSize = 1 })
		}, "collects partners from 0 of 0"},
		"release below the minimum": {func(c *coalition.Charter) { c.Cohorts[0].ReleaseMinimum = 7 }, "releases members from 7"},
		"a member twice":            {func(c *coalition.Charter) { c.Cohorts[0].Members[1].ID = "a00" }, "twice or out of order"},
		"members out of order":      {func(c *coalition.Charter) { m := c.Cohorts[0].Members; m[0], m[1] = m[1], m[0] }, "twice or out of order"},
		"a member without name":     {func(c *coalition.Charter) { c.Cohorts[0].Members[0].ID = "" }, "no member name"},
		"a name not in NFC":         {func(c *coalition.Charter) { c.Cohorts[0].Members[11].ID = "a\u0301" }, "no member name"},
		"a name with a control":     {func(c *coalition.Charter) { c.Cohorts[0].Members[11].ID = "b\x1b[2J" }, "no member name"},
		"a member in two cases":     {func(c *coalition.Charter) { c.Cohorts[0].Members[0].ID = "A11" }, "one member as A11 and a11"},
		"a broken key of a member":  {func(c *coalition.Charter) { c.Cohorts[0].Members[3].Key = "a03" }, "is not a public key"},
		"one key for two members":   {func(c *coalition.Charter) { c.Cohorts[0].Members[3].Key = c.Cohorts[0].Members[1].Key }, "gives a01 and a03 one key"},
		"a member's key renamed":    {func(c *coalition.Charter) { c.Cohorts[0].Members[3].Key = renamed(t, "a01") }, "gives a01 and a03 one key"},
		"a free change in a key":    {func(c *coalition.Charter) { c.Cohorts[0].Members[3].Key += "\n" }, "is not a public key"},
		"unknown variant":           {func(c *coalition.Charter) { c.Cohorts[0].Task.Variant = "dap-17" }, "unknown variant"},
		"broken task id":            {func(c *coalition.Charter) { c.Cohorts[0].Task.ID += "A" }, "broken id"},
		"task ids exchanged":        {func(c *coalition.Charter) { a, b := &c.Cohorts[0].Task.ID, &c.Cohorts[1].Task.ID; *a, *b = *b, *a }, "another id"},
		"tasks exchanged":           {func(c *coalition.Charter) { a, b := &c.Cohorts[0].Task, &c.Cohorts[1].Task; *a, *b = *b, *a }, "another minimum batch"},
		"broken configuration":      {func(c *coalition.Charter) { c.Cohorts[0].Task.Configuration += "AAAA" }, "broken configuration"},
		"padded configuration":      {func(c *coalition.Charter) { c.Cohorts[0].Task.Configuration += "=" }, "broken configuration"},
		"line end in configuration": {func(c *coalition.Charter) { c.Cohorts[0].Task.Configuration += "\n" }, "broken configuration"},
		"another seed":              {func(c *coalition.Charter) { c.SeedDigest = strings.Repeat("00", 32) }, "another id"},
		"short seed digest":         {func(c *coalition.Charter) { c.SeedDigest = c.SeedDigest[2:] }, "broken seed digest"},
		"seed digest in capitals":   {func(c *coalition.Charter) { c.SeedDigest = strings.ToUpper(c.SeedDigest) }, "broken seed digest"},
		"no seed digest":            {func(c *coalition.Charter) { c.SeedDigest = "" }, "broken seed digest"},
		"another layout":            {func(c *coalition.Charter) { c.Layout = []byte(`{"blocks":["two","one"]}`) }, "another task_info"},
		"broken keys of the Leader": {func(c *coalition.Charter) { c.Leader.HPKE = "AAAA" }, "of the Leader"},
		"no keys of the Helper":     {func(c *coalition.Charter) { c.Helper.HPKE = "" }, "of the Helper"},
		"broken key of the collector": {func(c *coalition.Charter) {
			c.Coordinator.HPKE = encode64(t, dap.HpkeConfigList{newHPKE(t, "collector").Config()})
		}, "of the coordinator"},
		"configured minimum": {func(c *coalition.Charter) {
			configure(t, c, 0, func(t *dap.TaskConfiguration) { t.MinBatchSize++ })
		}, "another minimum batch"},
		"leader-selected batches": {func(c *coalition.Charter) {
			configure(t, c, 0, func(t *dap.TaskConfiguration) { t.BatchMode = dap.BatchModeLeaderSelected })
		}, "not in time-interval mode"},
		"no task interval": {func(c *coalition.Charter) {
			configure(t, c, 0, func(t *dap.TaskConfiguration) { t.Extensions = nil })
		}, "no task interval"},
		"an unknown task extension": {func(c *coalition.Charter) {
			configure(t, c, 0, func(t *dap.TaskConfiguration) { t.Extensions = append(t.Extensions, dap.Extension{Type: 9}) })
		}, "an extension that is not known"},
		"configured layout": {func(c *coalition.Charter) {
			configure(t, c, 0, func(t *dap.TaskConfiguration) { t.TaskInfo = bytes.Repeat([]byte{1}, 32) })
		}, "another task_info"},
		"one task for two cohorts": {func(c *coalition.Charter) {
			c.Cohorts[1] = newCohort(t, "partners", "p", 12)
			configure(t, c, 1, func(*dap.TaskConfiguration) {})
		}, "one task"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, p := newCharter(t)
			row.change(&c)
			err := c.Check()
			wantKind(t, "Check", err, errs.Invalid)
			if err != nil && !strings.Contains(errs.Describe(err).Message, row.message) {
				t.Errorf("message %q does not say %q", errs.Describe(err).Message, row.message)
			}
			if name == "another kind" {
				return // Sign sets it
			}
			if _, err := c.Sign(p.coordinator, p.leader, p.helper); err == nil {
				t.Error("Sign signed it")
			}
		})
	}
}

func renamed(t testing.TB, name string) keys.Public {
	t.Helper()
	s, err := keys.Generate(newRand(name), name+" by another name")
	must(t, err)
	return s.Public()
}

// What is signed is what members open: a form that changes on the way is refused
// when it is signed, not when 32 members have it.
func TestCharterSignRefusesWhatWouldNotOpen(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*coalition.Charter){
		"layout with spaces":  func(c *coalition.Charter) { c.Layout = []byte(`{"blocks": ["one","two"]}`) },
		"layout out of order": func(c *coalition.Charter) { c.Layout = []byte(`{"z":1,"a":2}`) },
		"name not UTF-8":      func(c *coalition.Charter) { c.Coalition = "\xff" },
	} {
		c, p := newCharter(t)
		change(&c)
		for i := range c.Cohorts {
			configure(t, &c, i, func(*dap.TaskConfiguration) {})
		}
		if signed, err := c.Sign(p.coordinator, p.leader, p.helper); err == nil {
			again, err := signed.Open()
			t.Errorf("%s: signed; opens as %v, %v", name, again.Coalition, err)
		}
	}
}

func TestOpenTask(t *testing.T) {
	t.Parallel()
	c, _ := newCharter(t)
	task, err := c.OpenTask("partners")
	must(t, err)
	configuration, err := base64.RawURLEncoding.DecodeString(c.Cohorts[1].Task.Configuration)
	must(t, err)
	encoded, err := dap.Encode(dap.Variant18, task.Configuration)
	must(t, err)
	if !bytes.Equal(encoded, configuration) {
		t.Error("the configuration is not the charter's")
	}
	if task.ID.String() != c.Cohorts[1].Task.ID || task.Variant != dap.Variant18 {
		t.Errorf("task %s of %v", task.ID, task.Variant)
	}
	if diff := cmp.Diff(c.Cohorts[1], task.Cohort); diff != "" {
		t.Errorf("cohort (-want +got):\n%s", diff)
	}
	for name, row := range map[string]struct{ want, got dap.HpkeConfig }{
		"Leader":    {newHPKE(t, "leader").Config(), task.LeaderHPKE[0]},
		"Helper":    {newHPKE(t, "helper").Config(), task.HelperHPKE[0]},
		"collector": {newHPKE(t, "collector").Config(), task.CollectorHPKE},
	} {
		if diff := cmp.Diff(row.want, row.got); diff != "" {
			t.Errorf("HPKE configuration of the %s (-want +got):\n%s", name, diff)
		}
	}
	want := dap.Interval{Start: dap.Time(opens / precision), Duration: 60}
	if task.Interval != want {
		t.Errorf("interval %v; want %v", task.Interval, want)
	}
	if key, ok := task.MemberKey("p03"); !ok || key != newSigner(t, "p03").Public() {
		t.Errorf("key of p03: %v, %v", key, ok)
	}
	for _, stranger := range []coalition.MemberID{"a03", "P03", "", "p03 "} {
		if key, ok := task.MemberKey(stranger); ok {
			t.Errorf("key of %q: %v", stranger, key)
		}
	}
	for _, id := range []string{"guests", "", "Members"} {
		_, err := c.OpenTask(id)
		wantKind(t, "cohort "+id, err, errs.NotFound)
	}
}

func TestMinimumBatch(t *testing.T) {
	t.Parallel()
	for n := range 301 {
		got := coalition.MinimumBatch(n)
		// The least m with m >= 2n/3.
		if 3*got < 2*n || 3*(got-1) >= 2*n {
			t.Errorf("MinimumBatch(%d) = %d", n, got)
		}
	}
	for n, want := range map[int]int{1: 1, 2: 2, 3: 2, 12: 8, 31: 21, 32: 22, 33: 22, 200: 134} {
		if got := coalition.MinimumBatch(n); got != want {
			t.Errorf("MinimumBatch(%d) = %d; want %d", n, got, want)
		}
	}
}

// cosigner returns the other form of a witness's key.
func cosigner(key keys.Public) keys.Public {
	other, err := key.Cosigner()
	if err != nil {
		panic(err)
	}
	return other
}
