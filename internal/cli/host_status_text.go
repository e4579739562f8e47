package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"muster/internal/aggregate"
)

// maxNames is how many members a status lists that were not asked for.
const maxNames = 100

// write prints the status for a person.
func (s *hostStatus) write(env Env, members bool) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %s of the cycle %s, beside %s\n", s.Member, s.Role, s.Cycle, s.Peer)
	if s.Marking != "" {
		fmt.Fprintf(&b, "%s\n", s.Marking)
	}
	for _, c := range s.Cohorts {
		fmt.Fprintln(&b)
		for _, row := range c.rows(env.Now(), s.Role) {
			fmt.Fprintf(&b, "%-13s %s\n", row[0], row[1])
		}
		c.writeMembers(&b, members)
	}
	fmt.Fprintf(&b, "\n%-13s %s\n", "record", tailText(s.Record))
	_, err := io.WriteString(env.Out, b.String())
	return err
}

func (c cohortStatus) rows(now time.Time, role string) [][2]string {
	rows := [][2]string{{"cohort", c.Cohort}, {"phase", phaseText(c.Phase)}, {"deadline", c.deadlineText(now)}}
	for _, a := range c.Addenda {
		rows = append(rows, [2]string{"postponed", fmt.Sprintf("to %s: %s", dayText(a.Deadline), oneLine(a.Reason))})
	}
	rows = append(rows, [2]string{"delivered", c.deliveredText(role)})
	if c.Unclaimed > 0 {
		rows = append(rows, [2]string{"uploads", plural(c.Unclaimed, "1 without a receipt: it counts for nothing", "%d without a receipt: they count for nothing")})
	}
	for _, r := range c.SetAside {
		rows = append(rows, [2]string{"set aside", fmt.Sprintf("submission %d of %s", r.Sequence, r.Member)})
	}
	if c.Roster != nil {
		rows = append(rows, [2]string{"roster", fmt.Sprintf("%s, %s", plural(c.Roster.Submissions, "1 submission", "%d submissions"), c.Roster.Digest)})
	}
	if c.Jobs > 0 {
		rows = append(rows, [2]string{"verified", fmt.Sprintf("%d of %s", c.JobsDone, plural(c.Jobs, "1 job", "%d jobs"))})
	}
	if c.Accepted > 0 {
		rows = append(rows, [2]string{"added up", plural(c.Accepted, "1 submission", "%d submissions")})
	}
	for _, r := range c.NotAccepted {
		rows = append(rows, [2]string{"not accepted", fmt.Sprintf("the submission of %s (%s)", r.Member, r.Reason)})
	}
	for _, a := range c.Amendments {
		rows = append(rows, [2]string{fmt.Sprintf("amendment %d", a.Number), "strikes " + strings.Join(struckNames(a.Struck), ", ")})
	}
	rows = append(rows, [2]string{"collection", map[aggregate.CollectionState]string{
		aggregate.NotCollected: "not yet", aggregate.Asked: "asked for, not answered: this host's sum may have left", aggregate.Answered: "answered: the same bytes go to whoever asks again",
	}[c.Collection]})
	if c.Driver != nil {
		rows = append(rows, [2]string{"driven by", fmt.Sprintf("%s, until %s", c.Driver.Holder, c.Driver.Until.Format(time.RFC3339))})
	}
	return append(rows, [2]string{"wipe", dayText(c.Wipe)})
}

func struckNames(list []struckView) []string {
	var names []string
	for _, s := range list {
		names = append(names, string(s.Member))
	}
	return names
}

func phaseText(p aggregate.Phase) string {
	for _, row := range aggregate.Phases() {
		if row.Phase == p {
			return string(p) + ": " + row.Means
		}
	}
	return "not served yet"
}

func (c cohortStatus) deadlineText(now time.Time) string {
	if c.Over {
		return dayText(c.Deadline) + ", past"
	}
	left := c.Deadline.Sub(now)
	if left < 2*time.Hour {
		return fmt.Sprintf("%s, in %d minutes", dayText(c.Deadline), int(left/time.Minute))
	}
	if hours := int(left / time.Hour); hours < 48 {
		return fmt.Sprintf("%s, in %d hours", dayText(c.Deadline), hours)
	}
	return fmt.Sprintf("%s, in %d days", dayText(c.Deadline), int(left/(24*time.Hour)))
}

func dayText(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

// oneLine shows a text of several lines in one.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

func (c cohortStatus) deliveredText(role string) string {
	count := make(map[memberState]int)
	for _, m := range c.Members {
		count[m.State]++
	}
	have, what := count[delivered], "complete"
	if role == "Helper" {
		have, what = count[receiptHere], "with a receipt here; the Leader has the uploads"
	}
	text := fmt.Sprintf("%d of %d %s", have, c.Size, what)
	if n := count[receiptOnly]; n > 0 {
		text += fmt.Sprintf("; %d with a receipt and no upload", n)
	}
	return text + fmt.Sprintf("; collected from %d on", c.Minimum)
}

// writeMembers lists members: all, or those who have not delivered. After the
// wipe nobody is known to have, and nobody is listed.
func (c cohortStatus) writeMembers(b *strings.Builder, all bool) {
	if c.Phase == aggregate.PhaseWiped && !all {
		return
	}
	list := c.Members
	if !all {
		list = slices.DeleteFunc(slices.Clone(list), func(m memberStatus) bool { return m.State == delivered || m.State == receiptHere })
	}
	for i, m := range list {
		if i == maxNames && !all {
			fmt.Fprintf(b, "  and %d more, see --members\n", len(list)-i)
			return
		}
		text := string(m.State)
		if m.State == receiptOnly {
			text = "a receipt and no upload"
		}
		if m.Sequence > 0 {
			text += fmt.Sprintf(", submission %d", m.Sequence)
		}
		fmt.Fprintf(b, "  %-11s %s\n", m.Member, text)
	}
}
