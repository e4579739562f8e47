package coalition_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"muster/dap"
	"muster/internal/coalition"
	"muster/internal/errs"
	"muster/internal/keys"
)

// party is a host before there is a charter.
type party struct {
	signer *keys.Signer
	hpke   *dap.HpkeKeypair
	card   coalition.HostCard
	signed coalition.SignedFile
	part   coalition.SeedPart
}

func newParty(t testing.TB, name string, suite dap.Suite) party {
	t.Helper()
	secret := newRand("hpke " + name)
	seed := make([]byte, 32)
	secret.Read(seed)
	p := party{signer: newSigner(t, "host "+name)}
	var err error
	p.hpke, err = dap.DeriveHpkeKeypair(1, suite, seed)
	must(t, err)
	p.card, err = coalition.NewHostCard(coalition.MemberID(name), "https://"+strings.ToLower(name)+".example/", p.signer.Public(),
		dap.HpkeConfigList{p.hpke.Config()}, coalition.Pin([]byte(name)))
	must(t, err)
	p.signed, err = p.card.Sign(p.signer)
	must(t, err)
	p.part, err = coalition.NewSeedPart(newRand("part " + name))
	must(t, err)
	return p
}

func ceremonyOf(leader, helper party) coalition.Ceremony {
	return coalition.Ceremony{Cycle: "2026", Leader: leader.card, Helper: helper.card}
}

// refused checks that err is a refusal with these words.
func refused(t testing.TB, name string, err error, words string) {
	t.Helper()
	if kind := errs.KindOf(err); kind == errs.Internal || !strings.Contains(fmt.Sprint(errs.Describe(err).Message), words) {
		t.Errorf("%s: got %v (%v), want words %q", name, err, kind, words)
	}
}

// forge changes a JSON file by hand and signs it again.
func forge(t testing.TB, kind keys.Kind, file coalition.SignedFile, signer *keys.Signer, change func(map[string]any)) coalition.SignedFile {
	t.Helper()
	var v map[string]any
	must(t, json.Unmarshal(file.Body, &v))
	change(v)
	body, err := keys.Canonical(v)
	must(t, err)
	sig, err := keys.Sign(kind, body, signer)
	must(t, err)
	return coalition.SignedFile{Body: body, Signature: sig}
}

func TestCeremony(t *testing.T) {
	t.Parallel()
	for _, suite := range []dap.Suite{dap.SuiteX25519, dap.SuiteMLKEM768X25519} {
		t.Run(suite.String(), func(t *testing.T) {
			t.Parallel()
			a, b := newParty(t, "Ostmere", suite), newParty(t, "Calverra", suite)
			c := ceremonyOf(a, b)
			files := commit(t, c, a, b)
			fromA, err := c.Reveal(dap.RoleLeader, a.part, files, a.signer)
			must(t, err)
			fromB, err := c.Reveal(dap.RoleHelper, b.part, files, b.signer)
			must(t, err)
			atA, err := c.Finish(dap.RoleLeader, a.part, files, fromB, []*dap.HpkeKeypair{a.hpke})
			must(t, err)
			atB, err := c.Finish(dap.RoleHelper, b.part, files, fromA, []*dap.HpkeKeypair{b.hpke})
			must(t, err)
			if atA != atB || atA == (coalition.Seed{}) {
				t.Fatal("the hosts have two seeds")
			}
			// Whoever carries the mail sees no part.
			for _, file := range []coalition.SignedFile{files.Leader, files.Helper, fromA, fromB} {
				for _, part := range []coalition.SeedPart{a.part, b.part} {
					if bytes.Contains(file.Body, []byte(base64.RawURLEncoding.EncodeToString(part[:])[:20])) || bytes.Contains(file.Body, part[:]) ||
						bytes.Contains(file.Body, fmt.Appendf(nil, "%x", part[:16])) {
						t.Error("a file shows a part")
					}
				}
			}
			// The same part gives the same commitment.
			again, err := c.Commit(dap.RoleLeader, a.part, a.signer)
			must(t, err)
			if !bytes.Equal(again.Body, files.Leader.Body) || !bytes.Equal(again.Signature, files.Leader.Signature) {
				t.Error("a repeated commitment is another file")
			}
		})
	}
}

func commit(t testing.TB, c coalition.Ceremony, leader, helper party) coalition.SeedCommitments {
	t.Helper()
	var files coalition.SeedCommitments
	var err error
	files.Leader, err = c.Commit(dap.RoleLeader, leader.part, leader.signer)
	must(t, err)
	files.Helper, err = c.Commit(dap.RoleHelper, helper.part, helper.signer)
	must(t, err)
	return files
}

func TestCeremonyRefusesCards(t *testing.T) {
	t.Parallel()
	a, b := newParty(t, "Ostmere", dap.SuiteX25519), newParty(t, "Calverra", dap.SuiteX25519)
	change := func(f func(*coalition.Ceremony)) error {
		c := ceremonyOf(a, b)
		f(&c)
		return c.Check()
	}
	must(t, change(func(*coalition.Ceremony) {}))
	refused(t, "no name", change(func(c *coalition.Ceremony) { c.Cycle = "" }), "is empty")
	refused(t, "one member", change(func(c *coalition.Ceremony) { c.Helper.Member = "OSTMERE" }), "both cards are of")
	refused(t, "one key", change(func(c *coalition.Ceremony) { c.Helper.Key = c.Leader.Key }), "same signing key")
	refused(t, "one TLS key", change(func(c *coalition.Ceremony) { c.Helper.Certificate = c.Leader.Certificate }), "same TLS key")
	refused(t, "one HPKE key", change(func(c *coalition.Ceremony) { c.Helper.HPKE = c.Leader.HPKE }), "same HPKE key")
	refused(t, "one url", change(func(c *coalition.Ceremony) { c.Helper.URL = c.Leader.URL }), "same url")
	_, err := ceremonyOf(a, b).Role(newParty(t, "Third", dap.SuiteX25519).card)
	refused(t, "a third", err, "neither card")
}

func TestCommitmentRefusals(t *testing.T) {
	t.Parallel()
	a, b, m := newParty(t, "Ostmere", dap.SuiteX25519), newParty(t, "Calverra", dap.SuiteX25519), newParty(t, "Mallory", dap.SuiteX25519)
	c := ceremonyOf(a, b)
	files := commit(t, c, a, b)
	with := func(change func(map[string]any)) coalition.SignedFile {
		return forge(t, keys.KindSeedCommitment, files.Helper, b.signer, change)
	}
	other := c
	other.Cycle = "2027"
	swapped := coalition.Ceremony{Cycle: "2026", Leader: b.card, Helper: a.card}
	flipped := coalition.SignedFile{Body: bytes.Replace(files.Helper.Body, []byte(`"commitment":"`), []byte(`"commitment":"00`), 1), Signature: files.Helper.Signature}
	value := coalition.SignedFile{Body: bytes.Clone(files.Helper.Body), Signature: files.Helper.Signature}
	at := bytes.Index(value.Body, []byte(`"commitment":"`)) + len(`"commitment":"`)
	if value.Body[at] == '0' {
		value.Body[at] = '1'
	} else {
		value.Body[at] = '0'
	}
	commitOf := func(c coalition.Ceremony, role dap.Role, p party) coalition.SignedFile {
		file, err := c.Commit(role, p.part, p.signer)
		must(t, err)
		return file
	}
	rows := []struct {
		name  string
		file  coalition.SignedFile
		words string
	}{
		{"nothing", coalition.SignedFile{}, "no seed commitment as muster wrote it"},
		{"a card", a.signed, "no seed commitment as muster wrote it"},
		{"huge", coalition.SignedFile{Body: make([]byte, 1<<20)}, "too large"},
		{"another cycle", commitOf(other, dap.RoleHelper, b), `for the cycle "2027"`},
		{"roles exchanged", commitOf(swapped, dap.RoleLeader, b), "other way round"},
		{"another peer", commitOf(ceremonyOf(a, m), dap.RoleHelper, m), "between other cards"},
		{"one's own", files.Leader, `the commitment of "Ostmere"`},
		{"signed by another", forge(t, keys.KindSeedCommitment, files.Helper, m.signer, func(map[string]any) {}), "not signed by"},
		{"of another kind of signature", forge(t, keys.KindSeedReveal, files.Helper, b.signer, func(map[string]any) {}), "not signed by"},
		{"a changed value", value, "was changed afterwards"},
		{"a long value", flipped, "broken value"},
		{"another role", with(func(v map[string]any) { v["role"] = "client" }), "not in the form"},
		{"another kind", with(func(v map[string]any) { v["kind"] = "muster seed commitment v2" }), "of kind"},
		{"upper case", with(func(v map[string]any) { v["commitment"] = strings.ToUpper(v["commitment"].(string)) }), "not in the form"},
		{"an unknown field", with(func(v map[string]any) { v["more"] = "x" }), "no seed commitment as muster wrote it"},
	}
	for _, row := range rows {
		_, err := c.OpenCommitment(dap.RoleHelper, row.file)
		refused(t, row.name, err, row.words)
	}
	// Without the right commitments nothing is revealed.
	for _, row := range rows {
		_, err := c.Reveal(dap.RoleLeader, a.part, coalition.SeedCommitments{Leader: files.Leader, Helper: row.file}, a.signer)
		refused(t, "reveal after "+row.name, err, row.words)
	}
	b.part = a.part
	copied := coalition.SeedCommitments{Leader: files.Leader, Helper: commitOf(c, dap.RoleHelper, b)}
	_, err := c.Reveal(dap.RoleLeader, a.part, copied, a.signer)
	refused(t, "a copied commitment", err, "repeats the other's")
	_, err = c.Reveal(dap.RoleLeader, m.part, files, a.signer)
	refused(t, "another part of one's own", err, "not the one it committed to")
}

func TestRevealRefusals(t *testing.T) {
	t.Parallel()
	a, b, m := newParty(t, "Ostmere", dap.SuiteX25519), newParty(t, "Calverra", dap.SuiteX25519), newParty(t, "Mallory", dap.SuiteX25519)
	c := ceremonyOf(a, b)
	files := commit(t, c, a, b)
	fromA, err := c.Reveal(dap.RoleLeader, a.part, files, a.signer)
	must(t, err)
	fromB, err := c.Reveal(dap.RoleHelper, b.part, files, b.signer)
	must(t, err)
	with := func(change func(map[string]any)) coalition.SignedFile {
		return forge(t, keys.KindSeedReveal, fromB, b.signer, change)
	}
	// An earlier ceremony of the same two, with other parts.
	earlier := b
	earlier.part = m.part
	old := commit(t, c, a, earlier)
	replayed, err := c.Reveal(dap.RoleHelper, earlier.part, old, b.signer)
	must(t, err)
	// A host that committed to one part and seals another.
	liar := forge(t, keys.KindSeedReveal, replayed, b.signer, func(v map[string]any) {
		var now map[string]any
		must(t, json.Unmarshal(fromB.Body, &now))
		v["helper"] = now["helper"]
	})
	flipped := coalition.SignedFile{Body: bytes.Replace(fromB.Body, []byte(`"enc":"`), []byte(`"enc":"A`), 1), Signature: fromB.Signature}
	rows := []struct {
		name  string
		file  coalition.SignedFile
		words string
	}{
		{"nothing", coalition.SignedFile{}, "no seed reveal as muster wrote it"},
		{"replayed", replayed, "belongs to another ceremony"},
		{"one's own", fromA, "this host's own"},
		{"signed by another", forge(t, keys.KindSeedReveal, fromB, m.signer, func(map[string]any) {}), "not signed by"},
		{"changed", flipped, "was changed afterwards"},
		{"another kind", with(func(v map[string]any) { v["kind"] = "x" }), "of kind"},
		{"another role", with(func(v map[string]any) { v["role"] = "x" }), "not in the form"},
		{"another ciphertext", with(func(v map[string]any) { v["ciphertext"] = v["enc"] }), "does not open"},
		{"another key", with(func(v map[string]any) { v["config_id"] = 7 }), "does not open"},
		{"broken base64", with(func(v map[string]any) { v["enc"] = "*" }), "does not open"},
		{"a seal for other commitments", liar, "does not open"},
	}
	own := []*dap.HpkeKeypair{a.hpke}
	for _, row := range rows {
		_, err := c.Finish(dap.RoleLeader, a.part, files, row.file, own)
		refused(t, row.name, err, row.words)
	}
	_, err = c.Finish(dap.RoleLeader, a.part, files, fromB, []*dap.HpkeKeypair{m.hpke})
	refused(t, "another host's key", err, "does not open")
	_, err = c.Finish(dap.RoleLeader, m.part, files, fromB, own)
	refused(t, "another part of one's own", err, "another seed part than it committed to")
	_, err = c.Finish(dap.RoleLeader, a.part, coalition.SeedCommitments{Leader: files.Leader, Helper: old.Helper}, fromB, own)
	refused(t, "another commitment", err, "belongs to another ceremony")
}

func TestEveryFlippedByteOfACardIsFound(t *testing.T) {
	t.Parallel()
	a := newParty(t, "Ostmere", dap.SuiteX25519)
	got, err := coalition.OpenHostCard(a.signed)
	must(t, err)
	if got != a.card || got.Digest() != a.signed.Digest() {
		t.Errorf("got %+v, want %+v", got, a.card)
	}
	for i := range a.signed.Body {
		flipped := coalition.SignedFile{Body: bytes.Clone(a.signed.Body), Signature: a.signed.Signature}
		flipped.Body[i] ^= 1
		if _, err := coalition.OpenHostCard(flipped); err == nil {
			t.Errorf("byte %d of the card can be changed", i)
		}
	}
	if _, err := coalition.OpenCoordinatorCard(a.signed); err == nil {
		t.Error("a host's card passes for a coordinator's")
	}
}

func TestCheckURL(t *testing.T) {
	t.Parallel()
	for _, good := range []string{"https://a.example/", "https://a.example:8443/", "https://a.example/muster/", "https://192.0.2.1:1/", "https://[2001:db8::1]:8443/x/"} {
		if err := coalition.CheckURL(good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, bad := range []string{
		"", "a.example", "http://a.example/", "https://a.example", "https:///", "https://a.example/x", "https://a.example//", "https://a.example/x/../",
		"https://a.example/?q", "https://a.example/?", "https://a.example/#", "https://a.example/#x", "https://u@a.example/", "https://a.example/a b/",
		"https://a.example/%41/", "https://A.example/", "https://a.éxample/", "https://a.example/{task}/", "https://a.example/\n", "HTTPS://a.example/", "https://a.example:x/",
	} {
		if err := coalition.CheckURL(bad); errs.KindOf(err) != errs.Invalid {
			t.Errorf("%s: %v", bad, err)
		}
	}
}
