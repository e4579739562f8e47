package cli

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"muster/internal/assess"
	"muster/internal/coalition"
	"muster/internal/errs"
	"muster/internal/exchange"
	"muster/internal/rehearse"
)

// parseHosts checks what --hosts names, which may be nothing.
func parseHosts(flag []string) ([]string, error) {
	const hint = `name two members, --hosts A,B; a name that has a comma goes in quotes, --hosts '"A, B",C'`
	if len(flag) == 0 {
		return nil, nil
	}
	var hosts []string
	for _, name := range flag {
		id, err := coalition.ParseMemberID(strings.TrimSpace(name))
		if err != nil {
			return nil, errs.Wrap(err, errs.Invalid, "--hosts: "+errs.Describe(err).Message, hint)
		}
		hosts = append(hosts, string(id))
	}
	if len(hosts) != 2 {
		return nil, errs.New(errs.Invalid, "a cycle has two hosts and --hosts names "+strconv.Itoa(len(hosts)), hint)
	}
	if coalition.Fold(hosts[0]) == coalition.Fold(hosts[1]) {
		return nil, errs.New(errs.Invalid, fmt.Sprintf("%s cannot be both hosts", errs.Quote(hosts[0])), "one honest host of two is what keeps the answers secret: "+hint)
	}
	return hosts, nil
}

// cohort returns n members, or one a file if n is zero: those with answers, hosts
// that are late, and as many late ones as are missing. The late ones have the
// names of those who answered last cycle if there is room for all of these, for
// then nothing is guessed but that they stayed; others have invented names.
func cohort(now, before []*assess.Assessment, n int, hosts []string) ([]rehearse.Member, error) {
	last := make(map[string]*assess.Assessment, len(before))
	for _, a := range before {
		last[coalition.Fold(a.Member)] = a
	}
	var members []rehearse.Member
	known := make(map[string]bool)
	add := func(name string, answers *assess.Assessment) error {
		id, err := coalition.ParseMemberID(name)
		if err != nil {
			return err
		}
		key := coalition.Fold(name)
		members = append(members, rehearse.Member{ID: id, Now: answers, Before: last[key]})
		known[key] = true
		return nil
	}
	for _, a := range now {
		if err := add(a.Member, a); err != nil {
			return nil, err
		}
	}
	files := len(members)
	if n == 0 {
		n = files
	}
	if n < files || n > exchange.MaxMembers {
		return nil, errs.New(errs.Invalid, fmt.Sprintf("--members is %d and there are %d files", n, files),
			fmt.Sprintf("leave it out, or give %d to %d: the members of the cohort, those without a file included", files, exchange.MaxMembers))
	}
	for _, host := range hosts {
		if known[coalition.Fold(host)] {
			continue
		}
		if len(members) == n {
			return nil, errs.New(errs.Invalid, fmt.Sprintf("the host %s is not a member: there is no file of that name", errs.Quote(host)),
				fmt.Sprintf("members are %s; a host that is late counts too: --members %d", someOf(names(now)), n+1))
		}
		if err := add(host, nil); err != nil {
			return nil, err
		}
	}
	var missing []string
	for _, a := range before {
		if !known[coalition.Fold(a.Member)] {
			missing = append(missing, a.Member)
		}
	}
	if len(missing) > n-len(members) {
		missing = nil
	}
	for _, name := range missing {
		if err := add(name, nil); err != nil {
			return nil, err
		}
	}
	for i := 1; len(members) < n; i++ {
		if name := latePrefix + strconv.Itoa(i); !known[name] { // Fold leaves it as it is
			if err := add(name, nil); err != nil {
				return nil, err
			}
		}
	}
	return members, nil
}

func names(assessments []*assess.Assessment) []string {
	var list []string
	for _, a := range assessments {
		list = append(list, a.Member)
	}
	return list
}

// chooseHosts returns the members that parseHosts named, or the first two by name.
func chooseHosts(members []rehearse.Member, hosts []string) ([2]coalition.MemberID, error) {
	if len(members) < 2 {
		return [2]coalition.MemberID{}, errs.New(errs.Invalid, "there is one member and a cycle has two hosts", "a cohort has at least two members; give --members if some are late")
	}
	if hosts == nil {
		byName := slices.SortedFunc(slices.Values(members), func(a, b rehearse.Member) int {
			if (a.Now == nil) != (b.Now == nil) { // a late member hosts only where nobody else can
				if a.Now == nil {
					return 1
				}
				return -1
			}
			return strings.Compare(string(a.ID), string(b.ID))
		})
		return [2]coalition.MemberID{byName[0].ID, byName[1].ID}, nil
	}
	var chosen [2]coalition.MemberID
	for i, host := range hosts {
		for _, m := range members {
			if coalition.Fold(string(m.ID)) == coalition.Fold(host) {
				chosen[i] = m.ID
			}
		}
	}
	return chosen, nil
}

// sayWhoIsMissing prints who is late, and warns of members of the last cycle that
// are not in the cohort: their files may have been forgotten or misnamed.
func sayWhoIsMissing(env Env, members []rehearse.Member, before []*assess.Assessment) {
	var late []string
	unnamed := 0
	known := make(map[string]bool)
	for _, m := range members {
		known[coalition.Fold(string(m.ID))] = true
		switch {
		case m.Now != nil:
		case strings.HasPrefix(string(m.ID), latePrefix):
			unnamed++
		default:
			late = append(late, string(m.ID))
		}
	}
	switch n := len(late) + unnamed; {
	case n == 0:
	case unnamed == 0:
		say(env, "%d of %d members late, without a file: %s", n, len(members), someOf(late))
	case unnamed == n:
		say(env, "%d of %d members late, without a file", n, len(members))
	default:
		say(env, "%d of %d members late, without a file: %s; and %d without a name", n, len(members), someOf(late), unnamed)
	}
	var gone []string
	for _, a := range before {
		if !known[coalition.Fold(a.Member)] {
			gone = append(gone, a.Member)
		}
	}
	if len(gone) > 0 {
		warn(env, "answered last cycle and not in the cohort now: %s", someOf(gone))
	}
}

// latePrefix begins the invented name of a late member.
const latePrefix = "late member "

// someOf joins the first of the names and counts the rest.
func someOf(names []string) string {
	const limit = 8
	if len(names) <= limit+1 {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:limit], ", "), len(names)-limit)
}
