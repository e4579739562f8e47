package fault_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"muster/dap"
	"muster/internal/aggregate"
	"muster/internal/coalition"
	"muster/internal/errs"
	"muster/internal/keys"
	"muster/internal/submit"
)

// said returns what a party is told of an error.
func said(err error) string {
	if err == nil {
		return "nothing: it was taken"
	}
	return errs.Describe(err).Message
}

// tells wants an attempt to be refused with these words.
func tells(t *testing.T, what string, err error, words string) {
	t.Helper()
	if err == nil || !strings.Contains(said(err), words) {
		t.Errorf("%s: said %q, want %q", what, said(err), words)
	}
}

// file reads a sealed file of the lane.
func (l *lane) file(name string) submit.Opened {
	l.t.Helper()
	f, err := submit.ReadFile(l.read("sealed/" + name))
	check(l.t, err)
	opened, err := f.Open(l.charter)
	check(l.t, err)
	return opened
}

// report takes the report out of a sealed file.
func (l *lane) report(name string) dap.Report {
	l.t.Helper()
	upload, err := dap.Decode[dap.UploadRequest](l.task.Variant, l.file(name).Submission.Upload)
	check(l.t, err)
	return upload.Reports[0]
}

// entry is a submission as a roster has it.
func (l *lane) entry(name string) coalition.RosterEntry {
	o := l.file(name)
	return coalition.RosterEntry{Member: o.Receipt.Member, Report: o.Receipt.Report, Sequence: o.Receipt.Sequence, Receipt: o.Submission.Receipt.Digest()}
}

// roster is one of these submissions, signed by a host.
func (l *lane) roster(t testing.TB, signer *keys.Signer, names ...string) coalition.SignedRoster {
	t.Helper()
	var entries []coalition.RosterEntry
	for _, name := range names {
		entries = append(entries, l.entry(name))
	}
	body, err := keys.Canonical(coalition.NewRoster(l.task.ID, entries))
	check(t, err)
	signature, err := keys.Sign(keys.KindRoster, body, signer)
	check(t, err)
	return coalition.SignedRoster{Body: body, Signature: signature}
}

// delivered are the files of a delivery.
func delivered() []string {
	var names []string
	for i := range accepted + 1 {
		names = append(names, memberName(i)+".json")
	}
	return names
}

func without(names []string, name string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(n string) bool { return n == name })
}

// TestLeaderCheatsWithTheRoster: whatever list a bad Leader signs, the Helper
// signs none that is not its own, and names who is missing where.
func TestLeaderCheatsWithTheRoster(t *testing.T) {
	t.Parallel()
	l := newLane(t)
	w := l.newWorld(t, onSQLite)
	w.open()
	w.deliver()
	leader, helper := l.hostSigner(t, leaderHost), w.helperAs(leaderHost)
	all := delivered()
	propose := func(what, words string, r coalition.SignedRoster) {
		t.Helper()
		_, err := helper.CosignRoster(t.Context(), r)
		tells(t, what, err, words)
	}
	propose("freezes early", "the roster is frozen after the deadline", l.roster(t, leader, all...))
	// One that only the Leader has: it would add it to the list.
	check(t, w.leaderAs("").PutReceipt(t.Context(), l.file("m11.json").Submission.Receipt))
	w.setClock(cycleRun + time.Hour)
	propose("omits", "the hosts' lists differ: m05 is missing at the Leader; nothing was opened", l.roster(t, leader, without(all, "m05.json")...))
	propose("adds", "the hosts' lists differ: m11 is missing at the Helper; nothing was opened", l.roster(t, leader, append(all, "m11.json")...))
	propose("replaces", "m03 has submission 1 at the Leader and 2 at the Helper", l.roster(t, leader, append(without(all, "m03.json"), "m03-1.json")...))
	propose("splits", "m06 is missing at the Leader", l.roster(t, leader, all[:6]...))
	propose("lists nobody", "m00 is missing at the Leader", l.roster(t, leader))
	propose("does not sign", "the roster is not signed by host ostmere", l.roster(t, l.hostSigner(t, helperHost), all...))
	// Another than the Leader, and even the coordinator, may propose nothing.
	for _, who := range []string{"", "coordinator"} {
		_, err := w.helperAs(who).CosignRoster(t.Context(), l.roster(t, leader, all...))
		tells(t, "who is not the Leader", err, "this resource is for the Leader")
	}
	// The honest list is signed, and from then on no other is.
	signed, err := helper.CosignRoster(t.Context(), l.roster(t, leader, all...))
	check(t, err)
	if _, err := signed.Open(l.task.ID, l.charter.Leader.Key, l.charter.Helper.Key); err != nil {
		t.Error(err)
	}
	propose("changes its mind", "this host has signed another roster", l.roster(t, leader, without(all, "m05.json")...))
	// Its own command is honest: a receipt without its upload is on no list of it.
	w.until(1, "the roster has 11 submissions and is signed by both hosts", "freeze", "host", "freeze", "--dir", w.at(leaderHost))
}

// TestLeaderCheatsWithJobs: a bad Leader has a roster that both signed, and sends
// the Helper other jobs than follow from it.
func TestLeaderCheatsWithJobs(t *testing.T) {
	t.Parallel()
	l := newLane(t)
	w := l.newWorld(t, onSQLite)
	r := w.turn(helperHost)
	w.open()
	w.deliver()
	w.setClock(cycleRun + time.Hour)
	// The honest job is caught on its way: the bad Leader has its messages.
	var caught []byte
	r.set(func(req *request) ([]byte, bool) {
		if req.is("aggregation_jobs") {
			caught = req.body
			return nil, true
		}
		return nil, false
	}, nil)
	_, _, _ = w.run("freeze", "host", "freeze", "--dir", w.at(leaderHost))
	r.set(nil, nil)
	honest, err := dap.Decode[dap.AggregationJobInitReq](l.task.Variant, caught)
	check(t, err)
	if len(honest.VerifyInits) != accepted+1 {
		t.Fatalf("%d reports in the job", len(honest.VerifyInits))
	}
	byID := make(map[string]dap.VerifyInit)
	for _, in := range honest.VerifyInits {
		byID[in.ReportShare.ReportMetadata.ReportID.String()] = in
	}
	init := func(name string) dap.VerifyInit {
		t.Helper()
		in, ok := byID[l.entry(name).Report]
		if !ok {
			t.Fatalf("%s is not in the job", name)
		}
		return in
	}
	helper := w.helperAs(leaderHost)
	job := func(list ...dap.VerifyInit) string {
		t.Helper()
		req := honest
		req.VerifyInits = list
		body, err := dap.Encode(l.task.Variant, req)
		check(t, err)
		answer, err := helper.AggregationJob(t.Context(), l.task.ID, body)
		if err != nil {
			return said(err)
		}
		resp, err := dap.Decode[dap.AggregationJobResp](l.task.Variant, answer)
		check(t, err)
		var words []string
		for _, v := range resp.VerifyResps {
			word := "accepted"
			if v.VerifyRespType == dap.VerifyRespReject {
				word = v.ReportError.String()
			}
			words = append(words, word)
		}
		return strings.Join(words, ", ")
	}
	wants := func(what, got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("%s: the Helper says %q, want %q", what, got, want)
		}
	}
	share := func(of dap.Report) dap.ReportShare {
		return dap.ReportShare{ReportMetadata: of.ReportMetadata, PublicShare: of.PublicShare, EncryptedInputShare: of.HelperEncryptedInputShare}
	}
	payload := init("m00.json").Payload
	wants("adds one that is not on the roster", job(dap.VerifyInit{ReportShare: share(l.report("m11.json")), Payload: payload}), "report_dropped")
	wants("goes back to one that was replaced", job(dap.VerifyInit{ReportShare: share(l.report("m03-1.json")), Payload: payload}), "report_dropped")
	exchanged := init("m05.json")
	exchanged.ReportShare.EncryptedInputShare = init("m04.json").ReportShare.EncryptedInputShare
	wants("puts another's answers in a member's place", job(exchanged), "report_dropped")
	wants("splits the roster", job(init("m00.json"), init("m01.json"), init("m02.json"), init("m03.json")), "accepted, accepted, accepted, accepted")
	wants("counts one twice", job(init("m00.json"), init("m04.json")), "report_replayed, accepted")

	// A part of the roster is opened for nobody: not below the minimum, not by
	// the count of the roster, and not for a part of the time.
	collector := w.leaderAs("coordinator")
	interval := l.task.Interval
	ask := func(what string, of dap.Interval, count uint64, words string) {
		t.Helper()
		query, err := dap.NewTimeIntervalQuery(of)
		check(t, err)
		body, err := dap.Encode(l.task.Variant, dap.AggregateShareReq{
			CollectionJobReq: dap.CollectionJobReq{Query: query}, BatchSelector: dap.BatchSelector(query), ReportCount: count,
		})
		check(t, err)
		_, err = helper.AggregateShare(t.Context(), l.task.ID, body)
		tells(t, what, err, words)
		body, err = dap.Encode(l.task.Variant, dap.CollectionJobReq{Query: query})
		check(t, err)
		if _, err := collector.CollectionJob(t.Context(), l.task.ID, body); err == nil {
			t.Errorf("%s: the Leader collects", what)
		}
	}
	ask("opens five", interval, 5, "5 of 12 members took part; the charter collects from 8 on, so nothing was opened")
	half := interval
	half.Duration /= 2
	ask("opens half the time", half, 5, "only the whole task interval is collected")
	wants("goes on", job(init("m05.json"), init("m06.json"), init("m07.json"), init("m08.json")), "accepted, accepted, accepted, accepted")
	ask("opens all but two", interval, 9, "9 submissions were added up and the roster has 11; nothing was opened")
	ask("says that it is all", interval, 11, "9 submissions were added up and the roster has 11; nothing was opened")
	// It strikes what would make the count fit, although nothing is wrong with it.
	strike := func(what, words string, names ...string) {
		t.Helper()
		var strikes []coalition.Strike
		for _, name := range names {
			e := l.entry(name)
			strikes = append(strikes, coalition.Strike{Member: e.Member, Report: e.Report, Reason: dap.VdafVerifyError.String()})
		}
		body, err := keys.Canonical(coalition.NewAmendment(l.task.ID, w.frozen(helperHost).Roster, nil, strikes))
		check(t, err)
		signature, err := keys.Sign(keys.KindAmendment, body, l.hostSigner(t, leaderHost))
		check(t, err)
		_, err = helper.CosignAmendment(t.Context(), coalition.SignedAmendment{Body: body, Signature: signature})
		tells(t, what, err, words)
	}
	strike("strikes one that it never sent", "1 of 10 submissions are not yet verified; nothing was opened", "m09.json")
	strike("strikes one that was added up", "this host has added up the submission of m00 and cannot strike it", "m00.json", "m09.json", "m10.json")
	// Nobody has opened anything, and both records say how far it came.
	for _, host := range hostNames() {
		if s := w.state(host); s.Collected || s.Phase != aggregate.PhaseFrozen {
			t.Errorf("%s: %+v", host, s)
		}
	}
}
