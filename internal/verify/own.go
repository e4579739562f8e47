package verify

import (
	"bytes"
	"slices"

	"muster/internal/coalition"
	"muster/internal/keys"
	"muster/internal/ledger"
)

// own looks for the submissions of a member whose receipts the reader brought, and says
// something of each, and of each acknowledgement of a host.
func (a *auditor) own() {
	used := make(map[int]bool) // acknowledgements, by their places
	for i, signed := range a.cfg.Receipts {
		if !a.ownReceipt(i+1, signed, used) {
			a.unchecked(StepReceipts, "own_nowhere", i+1)
		}
	}
	for i := range a.cfg.Held {
		if !used[i] {
			a.unchecked(StepReceipts, "held_nowhere", i+1)
		}
	}
}

// ownReceipt looks for one. A receipt is its member's own word, so by itself it accuses
// nobody; what both hosts signed of it does.
func (a *auditor) ownReceipt(number int, signed coalition.SignedReceipt, used map[int]bool) (found bool) {
	for _, c := range a.cycles {
		for j := range c.tasks {
			t := &c.tasks[j]
			if r, err := signed.Open(t.ID, t.key); err == nil {
				a.under(c, func() {
					a.ownSubmission(t, number, r, signed.Digest(), a.held(c, r, signed.Digest(), used), a.aside(c, t, signed.Digest()))
				})
				return true
			}
		}
	}
	return false
}

// held returns the hosts that acknowledged a receipt, by what the reader brought.
func (a *auditor) held(c *cycle, r coalition.Receipt, digest string, used map[int]bool) []string {
	var hosts []string
	for i, file := range a.cfg.Held {
		h, err := c.charter.OpenHeld(file, r, digest)
		if err != nil {
			continue // of another receipt, or signed by nobody who could
		}
		used[i] = true
		if !slices.Contains(hosts, h.Host) {
			hosts = append(hosts, h.Host)
		}
	}
	return hosts
}

// asides is what the records of both hosts say of a receipt that was set aside.
type asides struct {
	said  bool // both say that they set it aside, before they listed what counts
	bound bool // the record of each has the line that the ledger has of its share
	open  bool // the ledger has no share of one of them yet, so nothing binds its record
}

// aside returns what the hosts' own records say of a receipt. A host that is accused could
// write one afterwards: only a record with the line that the ledger has counts.
func (a *auditor) aside(c *cycle, t *task, receipt string) asides {
	all := asides{said: true, bound: true}
	for name, host := range map[string]keys.Public{"leader": c.charter.Leader.Key, "helper": c.charter.Helper.Key} {
		i := slices.IndexFunc(a.ofTask(c, ledger.KindShare, t), func(e entry) bool { return e.Fields["host"] == name })
		all.open = all.open || i < 0
		said, bound := false, false
		for _, record := range a.cfg.Records {
			if !setAside(record, host, t, receipt) {
				continue
			}
			said = true
			bound = bound || i >= 0 && slices.ContainsFunc(bytes.Split(record, []byte("\n")), func(line []byte) bool {
				return string(line) == a.ofTask(c, ledger.KindShare, t)[i].Note
			})
		}
		all.said, all.bound = all.said && said, all.bound && bound
	}
	return all
}

// setAside reports whether a record of a host says that it set a receipt aside before it
// listed whose submissions count.
func setAside(record []byte, host keys.Public, t *task, receipt string) bool {
	entries, err := ledger.Read(bytes.NewReader(record), host)
	if err != nil {
		return false
	}
	for _, e := range entries {
		switch {
		case e.Kind == "roster" && e.Data["task_id"] == t.ID.String():
			return false
		case e.Kind == "submission set aside" && e.Data["receipt"] == receipt:
			return true
		}
	}
	return false
}

func (a *auditor) ownSubmission(t *task, number int, r coalition.Receipt, digest string, hosts []string, aside asides) {
	if t.roster == nil {
		a.unchecked(StepReceipts, "own_early", number)
		return
	}
	if t.frozen == nil {
		a.unchecked(StepReceipts, "own_roster", number)
		return
	}
	full, err := coalition.ParseRoster(t.frozen.Roster.Body, t.ID)
	if err != nil {
		return // it was opened before
	}
	place := file(t.roster.Fields["digest"])
	i := slices.IndexFunc(full.Entries, func(e coalition.RosterEntry) bool { return e.Member == r.Member })
	member, sequence := string(r.Member), int(r.Sequence)
	switch {
	case i >= 0 && full.Entries[i].Receipt == digest && slices.Contains(t.members, r.Member):
		a.holds(StepReceipts, "own_counts", member, sequence)
	case i >= 0 && full.Entries[i].Receipt == digest:
		a.holds(StepReceipts, "own_struck", member, sequence)
	case i >= 0 && full.Entries[i].Sequence > r.Sequence:
		a.unchecked(StepReceipts, "own_later", member, int(full.Entries[i].Sequence), sequence)
	case aside.said && aside.bound:
		a.holds(StepReceipts, "own_aside", sequence, member)
	case aside.said && aside.open:
		a.add(StepReceipts, Unchecked, place, "", "own_aside_open", sequence, member)
	case len(hosts) == 2 && i < 0:
		a.fails(StepReceipts, place, nil, "own_left_out", sequence, member)
	case len(hosts) == 2:
		a.fails(StepReceipts, place, nil, "own_replaced", sequence, member, int(full.Entries[i].Sequence))
	case len(hosts) == 1:
		a.add(StepReceipts, Unchecked, place, "", "own_half", role(hosts[0]), sequence, member)
	case i < 0:
		a.add(StepReceipts, Unchecked, place, "", "own_missing", member)
	default:
		a.add(StepReceipts, Unchecked, place, "", "own_other", member, int(full.Entries[i].Sequence), sequence)
	}
}

// role returns what a host is called.
func role(host string) words {
	if host == "leader" {
		return words{"Leader", "Leader"}
	}
	return words{"Helper", "Helper"}
}
