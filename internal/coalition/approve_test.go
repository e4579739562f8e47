package coalition_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/dap"
	"muster/internal/coalition"
	"muster/internal/errs"
	"muster/internal/keys"
	"muster/vdaf"
)

// enrolment is everyone before there is a charter, and the proposal of one.
type enrolment struct {
	leader, helper party
	collector      *keys.Signer
	proposal       coalition.Proposal
}

func newEnrolment(t testing.TB, members int) enrolment {
	t.Helper()
	e := enrolment{
		leader: newParty(t, "Ostmere", dap.SuiteX25519), helper: newParty(t, "Calverra", dap.SuiteX25519),
		collector: newSigner(t, "coordinator"),
	}
	card, err := coalition.NewCoordinatorCard("Sea of Lights", e.collector.Public(), newHPKE(t, "collector").Config(), coalition.Pin([]byte("c")))
	must(t, err)
	e.proposal = coalition.Proposal{
		Coalition: "Sea of Lights", Cycle: "2026",
		Framework: coalition.FrameworkRef{ID: "lights", Version: "1.0.0", Digest: strings.Repeat("ab", 32)},
		Layout:    json.RawMessage(`{"blocks":[{"buckets":["0","1","na"]},{"buckets":["0","1","na"]},{"buckets":["x","y"]}]}`),
		Cohort:    "allies", Leader: e.leader.card, Helper: e.helper.card, Collector: card,
		Seed: [32]byte{1, 2, 3}, Opens: time.Unix(opens, 0), Deadline: time.Unix(deadline, 0), Wipe: time.Unix(wipe, 0),
		Witnesses: coalition.WitnessPolicy{Threshold: 1, Keys: []keys.Public{newSigner(t, "witness").Public()}},
	}
	e.proposal.Members = append(e.proposal.Members, coalition.Member{ID: "Ostmere", Key: newSigner(t, "member Ostmere").Public()})
	for i := 1; i < members; i++ {
		id := fmt.Sprintf("m%02d", members-i)
		e.proposal.Members = append(e.proposal.Members, coalition.Member{ID: coalition.MemberID(id), Key: newSigner(t, id).Public()})
	}
	return e
}

func (e enrolment) view() coalition.HostView {
	return coalition.HostView{
		Ceremony: ceremonyOf(e.leader, e.helper), Own: e.leader.card, Seed: e.proposal.Seed, Now: time.Unix(opens, 0),
	}
}

func (e enrolment) charter(t testing.TB) coalition.Charter {
	t.Helper()
	c, err := e.proposal.Charter()
	must(t, err)
	return c
}

func TestProposal(t *testing.T) {
	t.Parallel()
	e := newEnrolment(t, 12)
	c := e.charter(t)
	if again := e.charter(t); !cmp.Equal(c, again) {
		t.Error("the same proposal gives another charter")
	}
	task, err := c.OpenTask("allies")
	must(t, err)
	if c.Cohorts[0].MinimumBatch != 8 || c.Cohorts[0].ReleaseMinimum != 8 || task.Variant != dap.Variant18 {
		t.Errorf("got %+v", c.Cohorts[0])
	}
	want, err := vdaf.NewOneHotBlocks(2, []uint16{3, 3, 2}, vdaf.ChunkLength(8))
	must(t, err)
	if !bytes.Equal(task.Configuration.VdafConfiguration, want.Config()) {
		t.Error("another VDAF than the layout gives")
	}
	leader, helper, coordinator, err := c.Cards()
	must(t, err)
	if leader != e.leader.card || helper != e.helper.card || coordinator != e.proposal.Collector {
		t.Error("the charter does not give the cards back")
	}
}

func TestProposalRefusals(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name   string
		change func(*coalition.Proposal)
		words  string
	}{
		{"deadline before opening", func(p *coalition.Proposal) { p.Deadline = p.Opens }, "does not open before its deadline"},
		{"wipe before deadline", func(p *coalition.Proposal) { p.Wipe = p.Deadline }, "close before its wipe"},
		{"no members", func(p *coalition.Proposal) { p.Members = nil }, "from 0 of 0"},
		{"a member twice", func(p *coalition.Proposal) { p.Members = append(p.Members, p.Members[0]) }, "twice"},
		{"no cohort", func(p *coalition.Proposal) { p.Cohort = "" }, "cohort"},
		{"a layout without JSON", func(p *coalition.Proposal) { p.Layout = json.RawMessage("x") }, "cannot be read"},
		{"an empty block", func(p *coalition.Proposal) { p.Layout = json.RawMessage(`{"blocks":[{"buckets":[]}]}`) }, "has 0 buckets"},
		{"one host", func(p *coalition.Proposal) { p.Helper = p.Leader }, "one member as both hosts"},
	}
	for _, row := range rows {
		e := newEnrolment(t, 12)
		row.change(&e.proposal)
		_, err := e.proposal.Charter()
		refused(t, row.name, err, row.words)
	}
}

func TestApproval(t *testing.T) {
	t.Parallel()
	e := newEnrolment(t, 12)
	signed, err := e.charter(t).Propose(e.collector)
	must(t, err)
	if got := standing(t, signed); got != "coordinator" {
		t.Errorf("signed by %s", got)
	}
	if _, err := signed.Open(); err == nil {
		t.Error("a charter with one signature opens")
	}
	warnings, err := e.view().Check(e.charter(t))
	must(t, err)
	if len(warnings) > 0 {
		t.Errorf("warnings: %q", warnings)
	}
	one, err := signed.Approve(e.leader.signer)
	must(t, err)
	again, err := one.Approve(e.leader.signer)
	must(t, err)
	if !cmp.Equal(one, again) || standing(t, one) != "coordinator Leader" {
		t.Error("a repeated approval changes the file")
	}
	other, err := signed.Approve(e.helper.signer)
	must(t, err)
	inTurn, err := one.Approve(e.helper.signer)
	must(t, err)
	joined, err := one.Join(other.Signature)
	must(t, err)
	if !cmp.Equal(inTurn, joined) {
		t.Errorf("one after the other:\n%s\njoined:\n%s", inTurn.Signature, joined.Signature)
	}
	if _, err := joined.Open(); err != nil {
		t.Error(err)
	}
	// Nobody else, and nothing else.
	_, err = signed.Approve(newSigner(t, "stranger"))
	refused(t, "a stranger", err, "none of the three")
	_, err = e.charter(t).Propose(e.leader.signer)
	refused(t, "a host as coordinator", err, "not the charter's coordinator")
	e.proposal.Cycle = "2027"
	another, err := e.charter(t).Propose(e.collector)
	must(t, err)
	_, err = signed.Join(another.Signature)
	refused(t, "another charter's signature", err, "not about this charter")
	_, err = coalition.SignedCharter{Body: signed.Body, Signature: another.Signature}.Approve(e.leader.signer)
	refused(t, "approval under another signature", err, "not about this charter")
	lines := strings.SplitAfter(string(inTurn.Signature), "\n")
	lines[4] = forgedLine(t, lines[4])
	_, err = coalition.SignedCharter{Body: signed.Body, Signature: []byte(strings.Join(lines, ""))}.Signatories()
	refused(t, "a forged signature", err, `the signature of the coordinator, "Sea of Lights", is not genuine`)
	_, err = signed.Join([]byte(strings.Join(lines, "")))
	refused(t, "joining a forged signature", err, "is not genuine")
}

// forgedLine flips a bit in a note's signature line, behind the hash of the key.
func forgedLine(t testing.TB, line string) string {
	t.Helper()
	head, encoded, _ := strings.Cut(strings.TrimSuffix(line, "\n")[len("— "):], " ")
	b, err := base64.StdEncoding.DecodeString(encoded)
	must(t, err)
	b[10] ^= 1
	return "— " + head + " " + base64.StdEncoding.EncodeToString(b) + "\n"
}

func standing(t testing.TB, s coalition.SignedCharter) string {
	t.Helper()
	list, err := s.Signatories()
	must(t, err)
	var roles []string
	for _, p := range list {
		if p.Signed {
			roles = append(roles, p.Role)
		}
	}
	return strings.Join(roles, " ")
}

func TestHostRefusesCharters(t *testing.T) {
	t.Parallel()
	third := newParty(t, "Third", dap.SuiteX25519)
	rows := []struct {
		name   string
		change func(*enrolment, *coalition.HostView)
		words  string
	}{
		{"another cycle", func(e *enrolment, _ *coalition.HostView) { e.proposal.Cycle = "2027" }, `the cycle "2027" and the seed was drawn for "2026"`},
		{"roles exchanged", func(e *enrolment, _ *coalition.HostView) {
			e.proposal.Leader, e.proposal.Helper = e.proposal.Helper, e.proposal.Leader
		}, "other way round"},
		{"another host in its place", func(e *enrolment, _ *coalition.HostView) { e.proposal.Leader = third.card }, `"Third" where the card says "Ostmere"`},
		{"another url", func(e *enrolment, _ *coalition.HostView) { e.proposal.Leader.URL = "https://x.example/" }, `the url "https://x.example/"`},
		{"another signing key", func(e *enrolment, _ *coalition.HostView) { e.proposal.Leader.Key = third.card.Key }, "another signing key"},
		{"another HPKE key", func(e *enrolment, _ *coalition.HostView) { e.proposal.Leader.HPKE = third.card.HPKE }, "another key for submissions"},
		{"another TLS key", func(e *enrolment, _ *coalition.HostView) { e.proposal.Leader.Certificate = third.card.Certificate }, "another TLS key"},
		{"no TLS key", func(e *enrolment, _ *coalition.HostView) { e.proposal.Leader.Certificate = "" }, "another TLS key"},
		{"another host beside it", func(e *enrolment, _ *coalition.HostView) { e.proposal.Helper = third.card }, "names another host beside this one"},
		{"another seed", func(e *enrolment, _ *coalition.HostView) { e.proposal.Seed[0]++ }, "another seed"},
		{"a past deadline", func(_ *enrolment, v *coalition.HostView) { v.Now = time.Unix(deadline, 0) }, "is past"},
		{"a late wipe", func(e *enrolment, _ *coalition.HostView) {
			e.proposal.Wipe = e.proposal.Deadline.Add(4 * 365 * 24 * time.Hour)
		}, "more than three years"},
		{"a stranger to the ceremony", func(_ *enrolment, v *coalition.HostView) { v.Own = third.card }, "neither card"},
	}
	for _, row := range rows {
		e := newEnrolment(t, 12)
		v := e.view()
		row.change(&e, &v)
		_, err := v.Check(e.charter(t))
		refused(t, row.name, err, row.words)
	}
}

// A task that adds up something else than the layout says is not signed, even if
// its id and task_info are right.
func TestHostRefusesAnotherVDAF(t *testing.T) {
	t.Parallel()
	e := newEnrolment(t, 12)
	sum, err := vdaf.NewHistogram(2, 8, 3)
	must(t, err)
	other, err := vdaf.NewOneHotBlocks(2, []uint16{3, 5}, 3)
	must(t, err)
	slower, err := vdaf.NewOneHotBlocks(2, []uint16{3, 3, 2}, 2)
	must(t, err)
	for name, prio3 := range map[string]*vdaf.Prio3{"a histogram": sum, "other blocks": other, "another chunk length": slower} {
		c := e.charter(t)
		task, err := c.OpenTask("allies")
		must(t, err)
		cfg := task.Configuration
		cfg.VdafType, cfg.VdafConfiguration = uint32(prio3.ID()), prio3.Config()
		id, err := dap.DeriveTaskID(e.proposal.Seed, cfg)
		must(t, err)
		c.Cohorts[0].Task.ID, c.Cohorts[0].Task.Configuration = id.String(), encode64(t, cfg)
		must(t, c.Check())
		_, err = e.view().Check(c)
		if name == "another chunk length" {
			must(t, err)
			continue
		}
		refused(t, name, err, "does not count the blocks of the layout")
	}
}

// Nobody signs a charter of real answers whose record only its keeper has to see.
func TestWitnessRequired(t *testing.T) {
	t.Parallel()
	nobody := coalition.WitnessPolicy{}
	for _, row := range []struct {
		name, marking string
		change        func(*coalition.WitnessPolicy)
		words         string // empty: it is signed
	}{
		{"one witness", "", func(*coalition.WitnessPolicy) {}, ""},
		{"no witness", "", func(p *coalition.WitnessPolicy) { *p = nobody }, "names no witness"},
		{"no witness wanted", "", func(p *coalition.WitnessPolicy) { p.Threshold = 0 }, "wants 0 of 1 witnesses"},
		{"no witness, of a rehearsal", "REHEARSAL", func(p *coalition.WitnessPolicy) { *p = nobody }, ""},
		{"no witness, synthetic", "SYNTHETIC", func(p *coalition.WitnessPolicy) { *p = nobody }, ""},
		{"no witness, by another marking", "OFFICIAL", func(p *coalition.WitnessPolicy) { *p = nobody }, "names no witness"},
	} {
		e := newEnrolment(t, 12)
		e.proposal.Marking = row.marking
		row.change(&e.proposal.Witnesses)
		c := e.charter(t)
		_, proposed := c.Propose(e.collector)
		_, checked := e.view().Check(c)
		if row.words == "" {
			must(t, proposed)
			must(t, checked)
			continue
		}
		refused(t, row.name+", by the coordinator", proposed, row.words)
		refused(t, row.name+", by a host", checked, row.words)
		if errs.Describe(checked).Hint == "" {
			t.Errorf("%s: there is no way out", row.name)
		}
	}
}

func TestWarnings(t *testing.T) {
	t.Parallel()
	e := newEnrolment(t, 5)
	e.proposal.Marking = "REHEARSAL"
	e.proposal.Deadline = e.proposal.Opens.Add(36 * time.Hour)
	e.proposal.Wipe = e.proposal.Deadline.Add(3 * 24 * time.Hour)
	got, err := e.view().Check(e.charter(t))
	must(t, err)
	want := []string{
		"allies has 4 members besides the hosts and a release needs 8: its totals stay with the coordinator",
		"members have 36 hours between opening and deadline",
		"keys are destroyed 3 days after the deadline: a release must be out by then",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if hex.EncodeToString(e.proposal.Seed[:]) != e.charter(t).SeedDigest {
		t.Error("another seed digest")
	}
}
