package fault_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"os"
	"strings"
	"testing"
	"time"

	"muster/dap"
	"muster/internal/aggregate"
	"muster/internal/coalition"
	"muster/internal/daphttp"
	"muster/internal/keys"
	"muster/vdaf"
)

// toCollection takes a world up to where the coordinator collects.
func (w *world) toCollection() {
	w.t.Helper()
	w.open()
	w.deliver()
	w.setClock(cycleRun + time.Hour)
	w.until(1, "not accepted: m10", "freeze", "host", "freeze", "--dir", w.at(leaderHost))
	w.amend()
}

// opensNothing wants a collection to be refused with these words, and nothing to
// be written.
func (w *world) opensNothing(words string) {
	w.t.Helper()
	code, _, stderr := w.run("collect", w.collectArgs("collected")...)
	if code <= 0 || !strings.Contains(stderr, words) {
		w.t.Errorf("collect: exit code %d and not %q:\n%s", code, words, stderr)
	}
	if _, err := os.Stat(w.at("collected", "aggregate.json")); err == nil {
		w.t.Errorf("totals were written, although: %s", words)
	}
}

// TestHostFlipsACell: a host changes one cell of the share that it adds up. The
// block sums do not fit, and nothing is written.
func TestHostFlipsACell(t *testing.T) {
	t.Parallel()
	l := newLane(t)
	for _, host := range hostNames() {
		t.Run(host, func(t *testing.T) {
			w := l.newWorld(t, onSQLite)
			w.toCollection()
			check(t, w.database(host).InTx(t.Context(), "flip a cell", func(tx aggregate.Tx) error {
				buckets, err := tx.Buckets(l.task.ID)
				if err != nil || len(buckets) != 1 {
					t.Fatalf("%d buckets (%v)", len(buckets), err)
				}
				buckets[0].Share[0] ^= 1
				return tx.PutBucket(l.task.ID, buckets[0])
			}))
			w.opensNothing("the counts of L1.1/level do not sum to the 10 submissions")
			// It is said who may have done it, and the totals are gone for good: the
			// same question has the same answer.
			if last := w.said[len(w.said)-1]; !strings.Contains(last, "one of the hosts changed its share; do not publish these totals") {
				t.Errorf("said: %s", last)
			}
			w.opensNothing("do not sum to the 10 submissions")
		})
	}
}

// TestHostShowsTwoLists: a host shows the coordinator another list than its peer.
func TestHostShowsTwoLists(t *testing.T) {
	t.Parallel()
	l := newLane(t)
	for _, row := range []struct{ host, missing, other string }{{leaderHost, "m10 is missing at calverra", "the Leader"}, {helperHost, "m10 is missing at ostmere", "the Helper"}} {
		t.Run(row.host, func(t *testing.T) {
			w := l.newWorld(t, onSQLite)
			r := w.turn(row.host)
			w.toCollection()
			show := func(change func(body []byte) []byte) {
				r.set(nil, func(req request, _ int, body []byte) []byte {
					if req.method == "GET" && strings.HasSuffix(req.path, "/roster") && req.who == "coordinator" {
						return change(body)
					}
					return body
				})
			}
			show(func(body []byte) []byte { // without the amendment
				before, _, _ := bytes.Cut(body, []byte(`"amendments":[`))
				return append(bytes.Clone(before), `"amendments":[]}`...)
			})
			w.opensNothing("the hosts' lists differ: " + row.missing + "; nothing was opened")
			forged := l.roster(t, l.hostSigner(t, row.host), without(delivered(), "m04.json")...)
			show(func([]byte) []byte { return envelope("roster", forged.Body, forged.Signature) })
			w.opensNothing(row.other + ", shows is no roster that both hosts signed")
			r.set(nil, nil)
			w.conclude()
			w.verify()
		})
	}
}

// TestStrangersAndMembers: what anybody can send to the hosts, twice, late, for
// another, malformed. The totals are of the honest ten, and who is not accepted
// is named.
func TestStrangersAndMembers(t *testing.T) {
	t.Parallel()
	l := newLane(t)
	w := l.newWorld(t, onSQLite)
	w.open()
	w.deliver()
	leader, helper := w.leaderAs(""), w.helperAs("")
	receipt := func(what, words string, r coalition.SignedReceipt) {
		t.Helper()
		tells(t, what+", to the Leader", leader.PutReceipt(t.Context(), r), words)
		tells(t, what+", to the Helper", helper.PutReceipt(t.Context(), r), words)
	}
	forged := func(as string, signer *keys.Signer, sequence uint64) coalition.SignedReceipt {
		t.Helper()
		report := l.report("m11.json")
		var digests [2][32]byte
		for i, half := range []dap.HpkeCiphertext{report.LeaderEncryptedInputShare, report.HelperEncryptedInputShare} {
			var err error
			digests[i], err = coalition.PartDigest(report.ReportMetadata, report.PublicShare, half)
			check(t, err)
		}
		signed, err := coalition.NewReceipt(l.task.ID, coalition.MemberID(as), sequence, time.Now().Unix(), report.ReportMetadata.ReportID, digests[0], digests[1]).Sign(signer)
		check(t, err)
		return signed
	}
	stranger, err := keys.Generate(rand.Reader, "m99")
	check(t, err)
	receipt("a stranger in its own name", "m99", forged("m99", stranger, 1))
	receipt("a stranger in a member's name", "the receipt is not signed by m05", forged("m05", stranger, 2))
	receipt("a member in another's name", "the receipt is not signed by m05", forged("m05", l.signer(6), 2))
	receipt("a member twice with one number", "submission", forged("m05", l.signer(5), 1))
	receipt("a receipt for another's report", "", l.receipt(6, 2, l.report("m05.json")))
	for _, body := range [][]byte{nil, {0}, bytes.Repeat([]byte{0xff}, 4096), l.file("m05.json").Submission.Upload[:200]} {
		if _, err := leader.Upload(t.Context(), l.task.ID, body); err == nil {
			t.Errorf("%d bytes of garbage were taken", len(body))
		}
	}
	// An upload without a receipt is anybody's, and counts for nothing.
	answer, err := leader.Upload(t.Context(), l.task.ID, l.file("m11.json").Submission.Upload)
	if err != nil || len(answer) > 0 {
		t.Errorf("an upload without a receipt: %x, %v", answer, err)
	}
	// Everything again is nothing new.
	for _, name := range delivered() {
		w.upload(name)
	}
	w.setClock(cycleRun + time.Hour)
	receipt("late", "submissions closed at", l.file("m11.json").Submission.Receipt)
	w.refused(1, "submission 1 of m11 was not delivered: ostmere, the Leader: submissions closed at", "upload", "submit", "upload", w.at("sealed", "m11.json"), "--charter", w.at("charter.json"))
	w.finish()
	w.verify()
}

// TestMalformed: a member whose answers are no answers, although both halves
// open, is found by the proof and named, and the others are collected.
func TestMalformed(t *testing.T) {
	t.Parallel()
	l := newLane(t)
	w := l.newWorld(t, onSQLite)
	w.open()
	w.deliver()
	report := l.twoHot(11)
	upload, err := dap.Encode(l.task.Variant, dap.UploadRequest{Reports: []dap.Report{report}})
	check(t, err)
	answer, err := w.leaderAs("").Upload(t.Context(), l.task.ID, upload)
	if err != nil || len(answer) > 0 {
		t.Fatalf("%x, %v", answer, err)
	}
	signed := l.receipt(11, 1, report)
	check(t, w.leaderAs("").PutReceipt(t.Context(), signed))
	check(t, w.helperAs("").PutReceipt(t.Context(), signed))
	w.setClock(cycleRun + time.Hour)
	w.until(1, "not accepted: m10 (hpke_decrypt_error), m11 (vdaf_verify_error); nothing was opened", "freeze", "host", "freeze", "--dir", w.at(leaderHost))
	w.amend()
	w.until(0, "10 of 12 members took part", "collect", w.collectArgs("collected")...)
	body, err := os.ReadFile(w.at("collected", "aggregate.json"))
	check(t, err)
	if want := l.totals(w.frozen(leaderHost).Digest(), []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}); !bytes.Equal(body, want) {
		t.Errorf("not the plain sum:\n%s", body)
	}
}

// twoHot is a report of a member whose first cell is one more than it may be.
func (l *lane) twoHot(n int) dap.Report {
	l.t.Helper()
	prio3, err := vdaf.FromConfig(2, vdaf.ID(l.task.Configuration.VdafType), l.task.Configuration.VdafConfiguration)
	check(l.t, err)
	var id dap.ReportID
	_, _ = rand.Read(id[:])
	random := make([]byte, prio3.RandSize())
	_, _ = rand.Read(random)
	nonce := [vdaf.NonceSize]byte(id)
	measurement := make([]uint64, len(l.layout.Blocks))
	public, shares, err := prio3.Shard(l.task.Variant.VdafContext(l.task.ID), measurement, &nonce, random)
	check(l.t, err)
	shares[0][0] ^= 1
	report := dap.Report{ReportMetadata: dap.ReportMetadata{ReportID: id, Time: l.task.Interval.Start}, PublicShare: public}
	task, err := dap.NewTaskAad(l.task.Variant, l.task.ID, l.task.Configuration)
	check(l.t, err)
	aad, err := task.Report(report.ReportMetadata, public)
	check(l.t, err)
	report.LeaderEncryptedInputShare, err = aad.Seal(l.hpke(leaderHost).Config(), dap.RoleLeader, dap.PlaintextInputShare{Payload: shares[0]})
	check(l.t, err)
	report.HelperEncryptedInputShare, err = aad.Seal(l.hpke(helperHost).Config(), dap.RoleHelper, dap.PlaintextInputShare{Payload: shares[1]})
	check(l.t, err)
	return report
}

// TestCoordinatorAsksTwice: a bad coordinator asks again, for something else.
func TestCoordinatorAsksTwice(t *testing.T) {
	t.Parallel()
	l := newLane(t)
	w := l.newWorld(t, onSQLite)
	w.toCollection()
	coordinator := w.leaderAs("coordinator")
	whole := l.task.Interval
	half := whole
	half.Duration /= 2
	request := func(interval dap.Interval, param []byte, extensions ...dap.Extension) []byte {
		t.Helper()
		query, err := dap.NewTimeIntervalQuery(interval)
		check(t, err)
		body, err := dap.Encode(l.task.Variant, dap.CollectionJobReq{Query: query, AggParam: param, Extensions: extensions})
		check(t, err)
		return body
	}
	ask := func(what string, body []byte, words string) {
		t.Helper()
		_, err := coordinator.CollectionJob(t.Context(), l.task.ID, body)
		tells(t, what, err, words)
	}
	odd := func(when string) {
		ask("for half the time, "+when, request(half, nil), "only the whole task interval is collected")
		ask("with a parameter, "+when, request(whole, []byte{1}), "Prio3 takes none")
		ask("with an extension, "+when, request(whole, nil, dap.Extension{Type: 7}), "no extension of collection jobs is known")
	}
	odd("before")
	// At the Helper it may ask nothing, and without its certificate nothing anywhere.
	query, err := dap.NewTimeIntervalQuery(whole)
	check(t, err)
	body, err := dap.Encode(l.task.Variant, dap.AggregateShareReq{CollectionJobReq: dap.CollectionJobReq{Query: query}, BatchSelector: dap.BatchSelector(query), ReportCount: 10})
	check(t, err)
	_, err = w.helperAs("coordinator").AggregateShare(t.Context(), l.task.ID, body)
	tells(t, "the Helper", err, "this resource is for the Leader")
	_, err = w.leaderAs("").CollectionJob(t.Context(), l.task.ID, request(whole, nil))
	tells(t, "without its certificate", err, "this resource is for the coordinator")
	_, err = w.leaderAs(helperHost).CollectionJob(t.Context(), l.task.ID, request(whole, nil))
	if err == nil {
		t.Error("the Helper collects")
	}
	w.conclude()
	odd("after")
	// Even a Leader that helps it gets no second share from the Helper: another
	// count is another question, and so is another checksum.
	for _, count := range []uint64{9, 10, 11} {
		body, err := dap.Encode(l.task.Variant, dap.AggregateShareReq{
			CollectionJobReq: dap.CollectionJobReq{Query: query}, BatchSelector: dap.BatchSelector(query), ReportCount: count, Checksum: dap.Checksum{byte(count)},
		})
		check(t, err)
		_, err = w.helperAs(leaderHost).AggregateShare(t.Context(), l.task.ID, body)
		tells(t, "with the Leader's help", err, "the batch was collected with another request")
	}
	w.verify()
}

// TestStolenCertificate: keys are pinned by the charter, so to change one is to
// sign another charter. Under that a key of the old one opens nothing, and a
// server that has it is not spoken to.
func TestStolenCertificate(t *testing.T) {
	t.Parallel()
	old, now := newLane(t), newLane(t) // the same names, and other keys
	w := now.newWorld(t, onSQLite)
	w.open()
	for _, who := range parties() {
		for _, host := range hostNames() {
			cfg := w.clientAs(who, host)
			cfg.TLS = daphttp.ClientTLS(old.certificate(t, who), now.pin(t, host))
			client, err := daphttp.NewHelperClient(cfg)
			check(t, err)
			if _, err := client.FrozenRoster(t.Context(), now.task.ID); err == nil || strings.Contains(said(err), "the roster is not frozen") {
				t.Errorf("the old key of %s reads at %s: %v", who, host, err)
			}
			client.Close()
		}
		// Nor does it do anything with what is for everyone: the handshake fails.
		cfg := w.clientAs(who, leaderHost)
		cfg.TLS = daphttp.ClientTLS(old.certificate(t, who), now.pin(t, leaderHost))
		client, err := daphttp.NewLeaderClient(cfg)
		check(t, err)
		if _, err := client.HpkeConfigs(context.Background()); err == nil {
			t.Errorf("the old key of %s is let in", who)
		}
		client.Close()
	}
	// A thief that stands in the Leader's place with the old key.
	impostor := &world{lane: old, t: t, dir: w.dir}
	impostor.lane = &lane{t: t, dir: old.dir, ip: now.ip, charter: old.charter, proxies: now.proxies}
	impostor.turn(leaderHost)
	w.refused(1, "shows another TLS key than the charter pins", "upload", "submit", "upload", w.at("sealed", "m00.json"), "--charter", w.at("charter.json"), "--wait", "1s")
	now.proxies[leaderHost].lead(now.proxies[leaderHost].home)
	// What was sealed under the old charter is not taken under the new one.
	check(t, os.WriteFile(w.at("old.json"), old.read("sealed/m00.json"), 0o600))
	w.refused(2, "the file was sealed under another charter", "upload", "submit", "upload", w.at("old.json"), "--charter", w.at("charter.json"))
	w.deliver()
	w.finish()
	w.verify()
}
