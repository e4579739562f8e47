package cli

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"muster/internal/aggregate"
	"muster/internal/coalition"
	"muster/internal/errs"
	"muster/internal/keys"
	"muster/internal/ledger"
	"muster/internal/release"
)

// approveAddendum signs a postponement, and takes it once all three have signed.
func approveAddendum(ctx context.Context, env Env, path string, signed coalition.SignedAddendum, f approveFlags) error {
	return drive(ctx, env, f.dir, func(r *runningHost) error {
		charter := r.cycle.charter
		addendum, err := signed.Read(charter)
		if err != nil {
			return err
		}
		list, err := signed.Signatories(charter)
		if err != nil {
			return err
		}
		if !list[0].Signed {
			return errs.New(errs.Invalid, "the postponement is not signed by the coordinator", "ask the coordinator for the file and its .sig again")
		}
		before, taken, err := r.follows(ctx, env, addendum, signed)
		if err != nil {
			return err
		}
		if err := writeAddendumPage(env, charter, addendum, signed, before); err != nil {
			return err
		}
		if taken {
			for _, host := range r.hosts() { // again: it may have died before it entered it in its record
				if err := host.Postpone(ctx, signed); err != nil {
					return err
				}
			}
			say(env, "this host has taken the postponement already: the deadline is %s", dayText(time.Unix(addendum.Deadline, 0)))
			return nil
		}
		approved, err := signed.Approve(charter, r.host.signer)
		if err != nil {
			return err
		}
		if !bytes.Equal(approved.Signature, signed.Signature) {
			if ok, err := r.approve(ctx, env, f, fmt.Sprintf("addendum %d", addendum.Number), signed.Digest()); err != nil || !ok {
				return err
			}
			if err := r.writeNote(env, path, approved.Signature); err != nil {
				return err
			}
		}
		return r.takeAddendum(ctx, env, charter, addendum, approved)
	})
}

// follows refuses a postponement that does not follow from those that this host
// has. It returns the deadline that it moves, and whether this host has it.
func (r *runningHost) follows(ctx context.Context, env Env, a coalition.Addendum, signed coalition.SignedAddendum) (before time.Time, taken bool, err error) {
	for _, cohort := range r.cycle.charter.Cohorts {
		s, err := aggregate.ReadStatus(ctx, aggregate.StatusConfig{Charter: r.cycle.charter, Cohort: cohort.ID, Store: r.db, Now: env.Now})
		if err != nil {
			return before, false, err
		}
		before = s.Deadline
		n := len(s.Addenda)
		if a.Number <= n && s.AddendumDigests[a.Number-1] == signed.Digest() {
			taken = true
			continue
		}
		taken = false
		switch {
		case a.Number != n+1, n > 0 && a.Previous != s.AddendumDigests[n-1]:
			return before, false, errs.New(errs.Conflict, fmt.Sprintf("the postponement has the number %d and does not follow from the %s that this host has taken", a.Number, plural(n, "1 before it", "%d")),
				"take those before it first; muster host status lists them")
		case s.Phase != aggregate.PhaseOpen:
			return before, false, errs.New(errs.Conflict, "the list of submissions is fixed; the deadline cannot be moved any more", "")
		case a.Deadline <= before.Unix():
			return before, false, errs.New(errs.Invalid, "a postponement moves the deadline to a later time than "+dayText(before), "ask the coordinator for another")
		case !env.Now().Before(time.Unix(a.Deadline, 0)):
			return before, false, errs.New(errs.Invalid, "the new deadline, "+dayText(time.Unix(a.Deadline, 0))+", is past already", "ask the coordinator for another")
		}
	}
	return before, taken, nil
}

func writeAddendumPage(env Env, c coalition.Charter, a coalition.Addendum, signed coalition.SignedAddendum, before time.Time) error {
	var b strings.Builder
	fmt.Fprintf(&b, "Postponement %d of the cycle %s of %s:\n\n", a.Number, c.Cycle, c.Coalition)
	fmt.Fprintf(&b, "  deadline  from %s\n            to   %s\n  reason    %s\n  digest    %s\n\n", dayText(before), dayText(time.Unix(a.Deadline, 0)), oneLine(a.Reason), signed.Digest())
	if err := writeWords(&b, "  ", sha256.Sum256(signed.Body)); err != nil {
		return err
	}
	_, err := env.Out.Write([]byte(b.String()))
	return err
}

// takeAddendum moves the deadline once all three have signed.
func (r *runningHost) takeAddendum(ctx context.Context, env Env, c coalition.Charter, a coalition.Addendum, signed coalition.SignedAddendum) error {
	list, err := signed.Signatories(c)
	if err != nil {
		return err
	}
	if missing := missingFrom(list); missing != "" {
		say(env, "not yet signed by %s: send the postponement and its .sig on; the deadline moves at a host when it has all three signatures", missing)
		return nil
	}
	for _, host := range r.hosts() {
		if err := host.Postpone(ctx, signed); err != nil {
			return err
		}
	}
	say(env, "all three have signed: the deadline at %s is %s", r.host.cfg.Member, dayText(time.Unix(a.Deadline, 0)))
	say(env, "the other host needs it, too: send it on, or the coordinator does")
	return nil
}

// approve asks, and enters in the record that this host signs digest for a
// subject, before anything is signed: what may have left this host is known here.
// A second file for the same subject wants --instead-of.
func (r *runningHost) approve(ctx context.Context, env Env, f approveFlags, subject, digest string) (bool, error) {
	earlier, err := r.approvals(ctx, subject)
	if err != nil {
		return false, err
	}
	n := len(earlier)
	last := ""
	if n > 0 {
		last = earlier[n-1]
	}
	if last != "" && last != digest && f.insteadOf != last {
		return false, errs.New(errs.Conflict, fmt.Sprintf("this host signed another %s, with the digest %s", subject, last),
			"if that one was withdrawn, repeat with --instead-of "+last)
	}
	if ok, err := agreed(env, f.yes, fmt.Sprintf("Does %s sign this?", r.host.cfg.Member), "signed"); err != nil || !ok {
		return false, err
	}
	if last == digest {
		return true, nil
	}
	return true, r.record.Append(ctx, ledger.Entry{
		ID: fmt.Sprintf("approval %d %s", n+1, subject), Kind: approvalKind,
		Data: map[string]string{"subject": subject, "digest": digest, "instead_of": last},
	})
}

const approvalKind = "approval"

// approvals returns the digests that this host approved for a subject, in order.
func (r *runningHost) approvals(ctx context.Context, subject string) ([]string, error) {
	var b bytes.Buffer
	if err := r.db.WriteRecord(ctx, &b); err != nil {
		return nil, err
	}
	entries, err := ledger.Read(&b, r.host.signer.Public())
	if err != nil {
		return nil, err
	}
	var digests []string
	for _, e := range entries {
		if e.Kind == approvalKind && e.Data["subject"] == subject {
			digests = append(digests, e.Data["digest"])
		}
	}
	return digests, nil
}

// writeNote writes a note beside its file.
func (r *runningHost) writeNote(env Env, path string, note []byte) error {
	if err := realDisk().writeOutput(filepath.Dir(path), []outputFile{{filepath.Base(path) + sigExt, note, 0o644}}, nil); err != nil {
		return err
	}
	say(env, "%s holds the signature of %s", path+sigExt, r.host.cfg.Member)
	return nil
}

// approveRelease signs a release.
func approveRelease(ctx context.Context, env Env, path string, file coalition.SignedFile, f approveFlags) error {
	return drive(ctx, env, f.dir, func(r *runningHost) error {
		made, err := release.Parse(file.Body)
		if err != nil {
			return errs.Wrap(err, errs.Invalid, errs.Describe(err).Message, "do not sign; ask the coordinator for the file and its .sig again, unchanged")
		}
		if err := keys.Verify(keys.KindRelease, file.Body, file.Signature, r.cycle.charter.Coordinator.Key); err != nil {
			return err
		}
		if err := r.checkRelease(ctx, env, made); err != nil {
			return err
		}
		if err := writeReleasePage(env, made, file.Body); err != nil {
			return err
		}
		status, err := keys.Check(keys.KindRelease, file.Body, file.Signature, r.host.signer.Public())
		switch {
		case err != nil:
			return err
		case status == keys.Forged:
			return errs.New(errs.Invalid, "the signature of this host on the release is not genuine", "ask the coordinator for the file and its .sig again")
		case status == keys.Genuine:
			say(env, "this host has signed the release already")
			return nil
		}
		if ok, err := r.approve(ctx, env, f, "release "+made.Cohort, keys.Digest(file.Body)); err != nil || !ok {
			return err
		}
		note, err := keys.Cosign(keys.KindRelease, file.Body, file.Signature, r.host.signer)
		if err != nil {
			return err
		}
		return r.writeNote(env, path, note)
	})
}

// checkRelease refuses a release that is not of this cycle and of the roster that
// this host signed, or was made by another choice than the charter's.
func (r *runningHost) checkRelease(ctx context.Context, env Env, head *release.Release) error {
	refuse := func(message string) error {
		return errs.New(errs.Denied, "the release "+message, "do not sign; ask the coordinator what it was made from")
	}
	if head.CharterDigest != r.cycle.signed.Digest() {
		return refuse("is of another charter")
	}
	if chosen := (coalition.Disclosure{Colluders: head.Rule.Colluders, Lowest: head.Rule.Prefer.Lowest, Target: head.Rule.Prefer.Target}); chosen != r.cycle.charter.Disclosure {
		return refuse("was made with another choice of what is shown than the charter's")
	}
	for _, cohort := range r.cycle.charter.Cohorts {
		if cohort.ID != head.Cohort {
			continue
		}
		s, err := aggregate.ReadStatus(ctx, aggregate.StatusConfig{Charter: r.cycle.charter, Cohort: cohort.ID, Store: r.db, Now: env.Now})
		switch {
		case err != nil:
			return err
		case s.Roster == nil || s.RosterDigest != head.RosterDigest:
			return refuse("is of another roster than the one that this host signed")
		case s.Collection == aggregate.NotCollected && s.Phase != aggregate.PhaseWiped:
			return refuse("is of totals that this host has not given")
		case head.Calendar.Deadline != s.Deadline.Unix():
			return errs.New(errs.Denied, fmt.Sprintf("the release says that the deadline was %s, and at this host it was %s", dayText(time.Unix(head.Calendar.Deadline, 0)), dayText(s.Deadline)),
				"do not sign; after a postponement the coordinator makes it again: muster collect release with --addendum for each")
		}
		return nil
	}
	return refuse("is of a cohort that the charter does not have, " + errs.Quote(head.Cohort))
}

// writeReleasePage prints what a host is asked to sign. What the release shows is
// the coordinator's to compute, and anyone's to attack.
func writeReleasePage(env Env, r *release.Release, body []byte) error {
	var b strings.Builder
	fmt.Fprintf(&b, "The release of %s, cycle %s of %s:\n\n", r.Cohort, r.Cycle, r.Coalition)
	if r.Marking != "" {
		fmt.Fprintf(&b, "  marking   %s\n", r.Marking)
	}
	status := "publishable"
	if !r.Status.Publishable {
		status = notPublishable(r)
	}
	fmt.Fprintf(&b, "  status    %s\n", status)
	fmt.Fprintf(&b, "  counts    %s\n", participation(r.Participation))
	fmt.Fprintf(&b, "  shows     groups of nobody or at least %d, with the answers of %d counted as known\n", r.Rule.MinimumBand, r.Rule.Known)
	fmt.Fprintf(&b, "  beside    %s\n", plural(len(r.History), "1 earlier release", "%d earlier releases"))
	fmt.Fprintf(&b, "  roster    %s, as this host signed it\n  digest    %s\n\n", r.RosterDigest, keys.Digest(body))
	if err := writeWords(&b, "  ", sha256.Sum256(body)); err != nil {
		return err
	}
	_, err := env.Out.Write([]byte(b.String()))
	return err
}
