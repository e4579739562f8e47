package verify

import (
	"cmp"
	"fmt"
	"slices"

	"muster/internal/coalition"
	"muster/internal/disclosure"
	"muster/internal/errs"
	"muster/internal/ledger"
	"muster/internal/release"
)

// releases holds each release to charter, roster and entries.
func (a *auditor) releases(c *cycle) {
	for _, e := range a.of(c, ledger.KindRelease) {
		i := slices.IndexFunc(c.tasks, func(t task) bool { return t.ID.String() == e.Fields["task_id"] })
		if i < 0 {
			a.fails(StepRelease, a.place(e.number), nil, "release_task")
			continue
		}
		t := &c.tasks[i]
		a.approvals(c, e, t)
		if !a.releaseEntry(c, e, t) {
			continue
		}
		body, ok := a.b.Signed(e.Statement)
		if !ok && t.frozen != nil { // whoever may see the list with names may see the release
			a.fails(StepRelease, a.place(e.number), nil, "release_left_out", t.cohort.ID)
			continue
		}
		if !ok {
			for _, step := range []Step{StepRelease, StepDisclosure, StepAttack} {
				a.unchecked(step, "release_absent", t.cohort.ID)
			}
			continue
		}
		r, err := release.Parse(body.Body)
		if err == nil {
			err = a.fits(c, t, e, r)
		}
		if err != nil {
			a.fails(StepRelease, file(e.Fields["digest"]), err, "release_wrong", t.cohort.ID)
			continue
		}
		counted := a.b.Manifest.Counted(e.Fields["digest"])
		if counted != nil && len(counted) != r.Participation.Submissions {
			a.fails(StepAttack, manifest, nil, "overlaps_wrong", len(counted), r.Participation.Submissions, t.cohort.ID)
			counted = nil
		}
		c.releases = append(c.releases, released{e, t, r, counted})
		a.holds(StepRelease, "release", t.cohort.ID, r.Participation.Submissions, r.Participation.Members)
	}
}

// releaseEntry holds the entry of a release to those of its roster.
func (a *auditor) releaseEntry(c *cycle, e entry, t *task) bool {
	switch {
	case t.roster == nil:
		a.fails(StepRelease, a.place(e.number), nil, "release_early", t.cohort.ID)
	case e.Fields["roster"] != t.digest:
		a.fails(StepRelease, a.place(e.number), nil, "release_roster", t.cohort.ID)
	case e.Number("submissions") != t.count:
		a.fails(StepRelease, a.place(e.number), nil, "release_count", e.Number("submissions"), t.count, t.cohort.ID)
	case t.count < t.cohort.MinimumBatch:
		a.fails(StepRelease, a.place(e.number), nil, "release_few", t.count, t.cohort.MinimumBatch, t.cohort.ID)
	case !slices.Contains(c.charter.Releases, t.cohort.ID):
		a.fails(StepRelease, a.place(e.number), nil, "release_unplanned", t.cohort.ID)
	default:
		return true
	}
	return false
}

// fits refuses a release that says another thing than charter and roster.
func (a *auditor) fits(c *cycle, t *task, e entry, r *release.Release) error {
	ch := c.charter
	wrong := func(format string, args ...any) error {
		return errs.New(errs.Invalid, "the release "+fmt.Sprintf(format, args...), "")
	}
	hosts := []coalition.MemberID{ch.Leader.Member, ch.Helper.Member}
	switch {
	case r.Coalition != ch.Coalition || r.Cycle != ch.Cycle || r.Cohort != t.cohort.ID || r.Marking != ch.Marking:
		return wrong("is of another coalition, cycle or cohort, or has another marking")
	case r.CharterDigest != c.digest:
		return wrong("names another charter")
	case r.RosterDigest != e.Fields["roster"]:
		return wrong("names another roster than its entry")
	case r.Participation.Submissions != e.Number("submissions"):
		return wrong("counts %d submissions and its entry %d", r.Participation.Submissions, e.Number("submissions"))
	case r.Framework.ID != ch.Framework.ID || r.Framework.Version != ch.Framework.Version || r.Framework.Digest != ch.Framework.Digest:
		return wrong("names another framework than the charter")
	case !slices.Equal(r.HostedBy, hosts):
		return wrong("names other hosts than the charter")
	case r.Calendar.Opens != ch.Opens || r.Calendar.Deadline != c.deadline.Unix():
		return wrong("gives other days than charter and postponements")
	case r.Participation.Members != len(t.cohort.Members):
		return wrong("is of a cohort of %d, and the charter's has %d", r.Participation.Members, len(t.cohort.Members))
	case r.Thresholds != disclosure.Thresholds{MinimumBatch: t.cohort.MinimumBatch, ReleaseMinimum: t.cohort.ReleaseMinimum}:
		return wrong("was held to other thresholds than the charter's")
	case r.Rule.Colluders != ch.Disclosure.Colluders || r.Rule.Prefer != (disclosure.Preference{Lowest: ch.Disclosure.Lowest, Target: ch.Disclosure.Target}):
		return wrong("was made by another rule than the charter chose")
	}
	if t.members != nil {
		among := 0
		for _, host := range hosts {
			if slices.Contains(t.members, host) {
				among++
			}
		}
		if r.Participation.Hosts != among {
			return wrong("counts %d hosts among its members, and the roster has %d", r.Participation.Hosts, among)
		}
	}
	return a.sameQuestions(c, r)
}

// sameQuestions holds the areas and outcomes of a release to the pack, where it is
// here: a release must show, or say why not, what the charter's layout asks.
func (a *auditor) sameQuestions(c *cycle, r *release.Release) error {
	if c.pack == nil {
		return nil
	}
	blank, err := release.Blank(c.pack)
	if err != nil {
		return err
	}
	same := len(blank.Areas) == len(r.Areas)
	for i := 0; same && i < len(blank.Areas); i++ {
		want, got := blank.Areas[i], r.Areas[i]
		same = want.ID == got.ID && len(want.Outcomes) == len(got.Outcomes)
		for j := 0; same && j < len(want.Outcomes); j++ {
			same = want.Outcomes[j].ID == got.Outcomes[j].ID && want.Outcomes[j].Asked == got.Outcomes[j].Asked
		}
	}
	if !same {
		return errs.New(errs.Invalid, "the release has other areas or outcomes than its framework", "")
	}
	return nil
}

// approvals looks for both hosts' signatures under a release.
func (a *auditor) approvals(c *cycle, e entry, t *task) {
	have := make(map[string]bool)
	for _, approval := range a.of(c, ledger.KindApproval) {
		if approval.Fields["digest"] == e.Fields["digest"] {
			have[approval.Fields["host"]] = true
		}
	}
	if have["leader"] && have["helper"] {
		a.holds(StepApproval, "approved", t.cohort.ID)
		return
	}
	if len(have) == 0 && c.charter.Marking != "" {
		a.unchecked(StepApproval, "approval_rehearsal", c.charter.Marking, t.cohort.ID)
		return
	}
	a.fails(StepApproval, a.place(e.number), nil, "approval_missing", len(have), t.cohort.ID)
}

// dated is a release in order of time, the reader's own or the bundle's.
type dated struct {
	release.Past
	own *released // nil: from before the bundle's cycle
}

// disclosed runs the rule on each release again, and attacks all of them together
// with everything that was released before.
func (a *auditor) disclosed() {
	var all []dated
	own := 0
	for _, c := range a.cycles {
		for i := range c.releases {
			r := &c.releases[i]
			own++
			a.under(c, func() { a.forgotten(c, r) })
			all = append(all, dated{release.Past{Release: r.file, Digest: r.Fields["digest"], Members: r.names()}, r})
		}
	}
	if own == 0 {
		return
	}
	for _, p := range a.history() {
		all = append(all, dated{Past: p})
	}
	slices.SortStableFunc(all, func(x, y dated) int {
		return cmp.Or(cmp.Compare(x.Release.Calendar.Opens, y.Release.Calendar.Opens), cmp.Compare(x.Release.Cycle, y.Release.Cycle), cmp.Compare(x.Release.Cohort, y.Release.Cohort))
	})
	for _, framework := range frameworks(all) {
		a.attack(framework, slices.DeleteFunc(slices.Clone(all), func(d dated) bool { return d.Release.Framework.ID != framework }))
	}
}

// manifest names the part of a bundle that says what is in it.
const manifest = "bundle.json"

// names returns whose submissions a release counts: as the roster says, or where it
// is not here as the bundle counts who is in several releases, or by numbers, which the
// rule and the attack on this release alone cannot tell from names.
func (r *released) names() []coalition.MemberID {
	switch {
	case r.task.members != nil:
		return r.task.members
	case r.counted != nil:
		return r.counted
	}
	list := make([]coalition.MemberID, r.file.Participation.Submissions)
	for i := range list {
		list[i] = coalition.MemberID(fmt.Sprintf("%s %07d", r.file.Cohort, i+1))
	}
	return list
}

func frameworks(all []dated) []string {
	var list []string
	for _, d := range all {
		if d.own != nil && !slices.Contains(list, d.Release.Framework.ID) {
			list = append(list, d.Release.Framework.ID)
		}
	}
	return list
}

// attack re-runs the rule and the attack on the releases of one framework, in order
// of time.
func (a *auditor) attack(framework string, all []dated) {
	last := make(map[string]*disclosure.Issue)
	history := disclosure.NewHistory()
	absent, overlapping, several, unknown := 0, false, 0, ""
	for _, d := range all {
		missing, nameless := a.missing(d, all)
		absent += missing
		turnover := d.Release.Turnover != nil
		switch {
		case d.Release.Kind == release.KindV1:
			a.unchecked(StepDisclosure, "rule_first", d.Release.Cycle, d.Release.Cohort)
			continue
		case d.own != nil && turnover && (last[d.Release.Cohort] == nil || nameless):
			a.unchecked(StepDisclosure, "rule_previous", d.Release.Cohort, d.Release.Turnover.Since)
			a.unchecked(StepAttack, "attack_previous", d.Release.Cohort)
			return
		}
		if before := last[d.Release.Cohort]; d.own != nil && turnover && before.Cycle == d.Release.Turnover.Since {
			a.turnover(d, before)
		}
		issue, err := d.Issue(last[d.Release.Cohort])
		if err != nil {
			place := ""
			if d.own != nil {
				place = file(d.Digest)
			}
			a.fails(StepDisclosure, place, err, "rule_broken", d.Release.Cycle, d.Release.Cohort)
			return
		}
		last[d.Release.Cohort] = issue
		history = history.With(issue)
		if several++; nameless {
			unknown = d.Release.Cohort
		}
		if d.own != nil {
			overlapping = overlapping || d.own.task.members == nil && d.own.counted != nil
			p := d.Release.Participation
			a.holds(StepDisclosure, "rule", d.Release.Cohort, d.Release.Rule.MinimumBand, p.Left(), d.Release.Thresholds.ReleaseMinimum)
		}
	}
	if several > 1 && unknown != "" { // the attack would take everybody for somebody else
		a.unchecked(StepAttack, "attack_names", unknown)
		return
	}
	result, err := history.Attack(a.cfg.Attack)
	switch {
	case err != nil:
		a.fails(StepAttack, "", err, "attack_impossible", framework)
	case len(result.Findings) > 0:
		a.fails(StepAttack, "", nil, "attack_found", framework, len(result.Findings))
	case len(result.Open) > 0:
		a.fails(StepAttack, "", nil, "attack_open", framework, len(result.Open))
	default:
		a.holds(StepAttack, "attacked", framework, result.Examined, len(all))
	}
	if overlapping {
		a.unchecked(StepAttack, "attack_overlaps")
	}
	if absent > 0 {
		a.unchecked(StepAttack, "attack_absent", absent)
	}
}

// turnover holds what a release says of who joined and left since the one before it to
// who counts in the two.
func (a *auditor) turnover(d dated, before *disclosure.Issue) {
	joined, left := 0, len(before.Members)
	for _, m := range d.Members {
		if _, ok := slices.BinarySearch(before.Members, string(m)); ok {
			left--
		} else {
			joined++
		}
	}
	if said := d.Release.Turnover; said.Joined != joined || said.Left != left {
		a.fails(StepRelease, file(d.Digest), nil, "turnover_wrong", d.Release.Cohort, said.Joined, said.Left, said.Since, joined, left)
	}
}

// missing counts the earlier releases that a release of the bundle reckons with and
// that are not here, and names one that is here and that it does not reckon with.
// nameless reports whether the roster of the release is not here, so that its members
// cannot be compared with earlier ones.
func (a *auditor) missing(d dated, all []dated) (n int, nameless bool) {
	if d.own == nil {
		return 0, false
	}
	for _, earlier := range d.Release.History {
		if earlier.Framework == d.Release.Framework.ID && !slices.ContainsFunc(all, func(o dated) bool { return o.Digest == earlier.Release }) {
			n++
		}
	}
	for _, o := range all {
		if o.own == nil && !slices.ContainsFunc(d.Release.History, func(e release.Earlier) bool { return e.Release == o.Digest }) {
			a.fails(StepAttack, file(d.Digest), nil, "attack_forgot", o.Release.Cycle, o.Release.Cohort)
		}
	}
	return n, d.own.task.members == nil && d.own.counted == nil
}

// editions looks for the releases that editions were drawn from, and their adoption.
func (a *auditor) editions(c *cycle) {
	list, releases := a.of(c, ledger.KindEdition), a.of(c, ledger.KindRelease)
	for _, e := range list {
		audience := e.Fields["audience"]
		i := slices.IndexFunc(releases, func(r entry) bool { return r.Fields["digest"] == e.Fields["release"] })
		var from *task
		switch {
		case i < 0:
			a.fails(StepEditions, a.place(e.number), nil, "edition_release", audience)
		case slices.ContainsFunc(list, func(o entry) bool {
			return o.number < e.number && o.Fields["digest"] == e.Fields["digest"] && o.Fields["release"] != e.Fields["release"]
		}):
			a.fails(StepEditions, a.place(e.number), nil, "edition_two", audience)
		case a.b.Files[e.Fields["digest"]] == nil:
			a.unchecked(StepEditions, "edition_absent", audience)
		default:
			a.holds(StepEditions, "edition", audience)
		}
		if i >= 0 {
			if j := slices.IndexFunc(c.tasks, func(t task) bool { return t.ID.String() == releases[i].Fields["task_id"] }); j >= 0 {
				from = &c.tasks[j]
			}
		}
		a.editionAdoption(c, e, from)
	}
	told := make(map[string]bool)
	for _, e := range a.of(c, ledger.KindAdoption) {
		digest := e.Fields["digest"]
		if e.Fields["subject"] == "edition" && !told[digest] && !slices.ContainsFunc(list, func(o entry) bool { return o.Fields["digest"] == digest }) {
			told[digest] = true
			a.add(StepEditions, Unchecked, a.place(e.number), "", "edition_unknown", ended(e.Fields["outcome"]))
		}
	}
}

// wipes reads the attestations of wiping.
func (a *auditor) wipes(c *cycle) {
	stated := make(map[string]bool)
	for _, e := range a.of(c, ledger.KindWipe) {
		stated[e.Fields["role"]] = true
		body, ok := a.b.Signed(e.Statement)
		if !ok {
			a.unchecked(StepWipe, "wipe_absent", e.Fields["role"])
			continue
		}
		w, err := coalition.OpenWipeAttestation(body, c.charter)
		if err == nil && (w.Role != e.Fields["role"] || w.Ending != e.Fields["ending"] || w.Sum != e.Fields["sum"]) {
			err = errs.New(errs.Invalid, "the entry says another thing than the attestation", "")
		}
		if err != nil {
			a.fails(StepWipe, file(e.Fields["digest"]), err, "wipe_wrong", e.Fields["role"])
			continue
		}
		a.holds(StepWipe, "wipe", w.Name, seconds(w.Time))
	}
	if a.cfg.Now.Unix() < c.charter.Wipe {
		return
	}
	for _, role := range []string{"leader", "helper", "coordinator"} {
		if !stated[role] {
			a.unchecked(StepWipe, "wipe_missing", role, seconds(c.charter.Wipe))
		}
	}
}
