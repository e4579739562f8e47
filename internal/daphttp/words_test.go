package daphttp_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/dap"
	"muster/internal/aggregate/aggregatetest"
	"muster/internal/coalition"
	"muster/internal/daphttp"
	"muster/internal/errs"
	"muster/internal/keys"
)

// TestSameWords makes the same mistakes over the network and in one process,
// and wants the same kind, message and hint.
func TestSameWords(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, setup{members: 5, client: func(c *daphttp.ClientConfig) { c.Attempts = 1 }})
	n.run(4)
	n.Now.Store(aggregatetest.Start)
	task := n.Task().ID
	ctx := t.Context()
	receipt := n.Seal(aggregatetest.Member(4), 1, aggregatetest.Answers(4)).Receipt
	unsigned := coalition.SignedReceipt{Body: receipt.Body, Signature: []byte("— nobody\n")}
	stranger, err := keys.Generate(zeros{}, "x")
	must(t, err)
	foreign, err := coalition.NewReceipt(task, "Zeta\x1b[2J", 1, 0, dap.ReportID{}, [32]byte{}, [32]byte{}).Sign(stranger)
	must(t, err)
	roster := func(entries ...coalition.RosterEntry) coalition.SignedRoster {
		body, err := keys.Canonical(coalition.NewRoster(task, entries))
		must(t, err)
		sig, err := keys.Sign(keys.KindRoster, body, n.Host[0].Signer)
		must(t, err)
		return coalition.SignedRoster{Body: body, Signature: sig}
	}
	interval := n.Task().Interval
	interval.Duration--
	part, _ := n.CollectionRequest(interval)
	whole, _ := n.CollectionRequest(n.Task().Interval)
	compare := func(name string, remote, local error, kind errs.Kind) {
		t.Helper()
		if diff := cmp.Diff(errs.Describe(local), errs.Describe(remote)); diff != "" && errs.KindOf(local) != errs.Internal {
			t.Errorf("%s (-in one process +over the network):\n%s", name, diff)
		}
		if errs.KindOf(remote) != kind {
			t.Errorf("%s: kind %v of %v", name, errs.KindOf(remote), remote)
		}
		if p, ok := errors.AsType[*dap.Problem](local); ok && !errors.Is(remote, p) {
			t.Errorf("%s: the problem %s became %v", name, p.Type, remote)
		}
	}
	compare("receipt without signature", n.member.PutReceipt(ctx, unsigned), n.Leader.PutReceipt(ctx, unsigned), errs.Invalid)
	compare("receipt of a stranger", n.memberAt.PutReceipt(ctx, foreign), n.Helper.PutReceipt(ctx, foreign), errs.Denied)
	_, remote := n.peer.CosignRoster(ctx, roster())
	_, local := n.Helper.CosignRoster(ctx, roster())
	compare("roster before the deadline", remote, local, errs.Conflict)
	_, remote = n.peer.AggregationJob(ctx, task, []byte("no message"))
	_, local = n.Helper.AggregationJob(ctx, task, []byte("no message"))
	compare("no message", remote, local, errs.Invalid)
	_, remote = n.coordinator.CollectionJob(ctx, task, part)
	_, local = n.Leader.CollectionJob(ctx, task, part)
	compare("a part of the interval", remote, local, errs.Invalid)
	_, remote = n.coordinator.CollectionJob(ctx, task, whole)
	_, local = n.Leader.CollectionJob(ctx, task, whole)
	compare("collection before the freeze", remote, local, errs.Conflict)
	_, remote = n.member.Upload(ctx, dap.TaskID{7}, nil)
	_, local = n.Leader.Upload(ctx, dap.TaskID{7}, nil)
	compare("unknown task", remote, local, errs.Invalid)

	n.Now.Store(aggregatetest.Deadline)
	compare("receipt after the deadline", n.member.PutReceipt(ctx, receipt), n.Leader.PutReceipt(ctx, receipt), errs.Conflict)
	_, remote = n.peer.CosignRoster(ctx, roster())
	_, local = n.Helper.CosignRoster(ctx, roster())
	compare("lists that differ", remote, local, errs.Conflict)
	if d := errs.Describe(remote); !strings.Contains(d.Message, "m000 is missing at the Leader") || d.Hint == "" {
		t.Errorf("the difference reads %q, %q", d.Message, d.Hint)
	}
	_, err = n.Leader.Freeze(ctx)
	must(t, err)
	_, remote = n.peer.CosignRoster(ctx, roster())
	_, local = n.Helper.CosignRoster(ctx, roster())
	compare("another roster", remote, local, errs.Conflict)
	amendment := coalition.SignedAmendment{Body: []byte(`{"task_id":"` + task.String() + `"}`), Signature: []byte("s")}
	_, remote = n.peer.CosignAmendment(ctx, amendment)
	_, local = n.Helper.CosignAmendment(ctx, amendment)
	compare("an amendment without signature", remote, local, errs.Invalid)

	// A difference at the Helper reaches the one who drives the Leader in the
	// same words, too.
	_, remote = n.coordinator.CollectionJob(ctx, task, whole)
	_, local = n.Leader.CollectionJob(ctx, task, whole)
	compare("collection before the work", remote, local, errs.Unavailable)
}

// zeros is a bad source of randomness for a key that signs nothing that counts.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 7
	}
	return len(p), nil
}

// TestAmendmentOverTheNetwork: what was not accepted is struck by both hosts,
// and the rest is the plain sum.
func TestAmendmentOverTheNetwork(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, setup{members: 6})
	all := n.run(5)
	// Sealed for the wrong host: it does not decrypt.
	spoiled := n.Seal(aggregatetest.Member(5), 1, aggregatetest.Answers(5))
	spoiled.Report.HelperEncryptedInputShare = spoiled.Report.LeaderEncryptedInputShare
	spoiled.Receipt = n.Sign(aggregatetest.Member(5), 1, spoiled.Report)
	must(t, n.Deliver(spoiled))
	n.Now.Store(aggregatetest.Deadline)
	_, err := n.Leader.Freeze(t.Context())
	must(t, err)
	if err := n.Leader.Aggregate(t.Context()); errs.KindOf(err) != errs.Conflict {
		t.Fatalf("Aggregate: %v", err)
	}
	frozen, err := n.Leader.Amend(t.Context())
	must(t, err)
	if len(frozen.Amendments) != 1 {
		t.Fatalf("%d amendments", len(frozen.Amendments))
	}
	again, err := n.peer.CosignAmendment(t.Context(), frozen.Amendments[0])
	if err != nil || !bytes.Equal(again.Signature, frozen.Amendments[0].Signature) {
		t.Errorf("the same amendment again: %v", err)
	}
	count, cells, err := n.Collected()
	must(t, err)
	if diff := cmp.Diff(aggregatetest.Plain(all), cells); diff != "" || count != 5 {
		t.Errorf("%d: %s", count, diff)
	}
}

// TestEnvelopes: the documents beside DAP have one form.
func TestEnvelopes(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, setup{members: 3})
	at := string(n.leaderURL) + "/tasks/" + n.Task().ID.String() + "/receipts"
	good := n.Seal(aggregatetest.Member(0), 1, aggregatetest.Answers(0)).Receipt
	document := func(change func(map[string]any)) string {
		m := map[string]any{"receipt": base64url(good.Body), "signature": string(good.Signature)}
		if change != nil {
			change(m)
		}
		b, err := json.Marshal(m)
		must(t, err)
		return string(b)
	}
	receipt, err := good.Open(n.Task().ID, n.Task().MemberKey)
	must(t, err)
	ack, err := receipt.Acknowledge(good.Digest(), 1, dap.RoleLeader, n.Host[0].Signer)
	must(t, err)
	answer, err := json.Marshal(ack)
	must(t, err)
	acknowledged := string(answer)
	for range 2 { // the same again is no error
		if got := n.post(at, mediaJSON, []byte(document(nil)), nil); got.status != 200 || string(got.body) != acknowledged {
			t.Errorf("a good receipt: %d %s", got.status, got.body)
		}
	}
	if got := n.post(at, mediaJSON+"; charset=UTF-8", []byte(" "+document(nil)+"\n"), nil); got.status != 200 {
		t.Errorf("with space around it: %d %s", got.status, got.body)
	}
	for name, text := range map[string]string{
		"nothing":          "",
		"null":             "null",
		"a list":           "[" + document(nil) + "]",
		"two":              document(nil) + document(nil),
		"another member":   document(func(m map[string]any) { m["x"] = 1 }),
		"a roster besides": document(func(m map[string]any) { m["roster"] = "e30" }),
		"no signature":     document(func(m map[string]any) { delete(m, "signature") }),
		"no receipt":       document(func(m map[string]any) { delete(m, "receipt") }),
		"padding":          document(func(m map[string]any) { m["receipt"] = "e30=" }),
		"a line end":       document(func(m map[string]any) { m["receipt"] = base64url(good.Body) + "\n" }),
		"the other base64": document(func(m map[string]any) { m["receipt"] = "/+" }),
		"a number":         document(func(m map[string]any) { m["signature"] = 1 }),
	} {
		got := n.post(at, mediaJSON, []byte(text), nil)
		if p := wantProblem(t, name, got, 400, dap.ProblemBlank); p.Detail != "the document cannot be read" {
			t.Errorf("%s: %q", name, p.Detail)
		}
	}
}
