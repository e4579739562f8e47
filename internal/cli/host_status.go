package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"muster/dap"
	"muster/internal/aggregate"
	"muster/internal/coalition"
	"muster/internal/errs"
	"muster/internal/ledger"
)

func newHostStatusCmd(env Env) *cobra.Command {
	var dir string
	var asJSON, members bool
	cmd := &cobra.Command{
		Use:   "status --dir DIR",
		Short: "Say where this host stands: who has delivered, and what comes next",
		Long: `Say where this host stands with its cycle: the phase and the deadline in force, who
has delivered, the roster and what became of the submissions on it, the
collection, the process that drives, and the day of the wipe. It runs beside a
host that serves, needs no key, and shows no answer, share or key.

Who has delivered is for the hosts and the coordinator to know.`,
		Example: `  muster host status --dir ostmere`,
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := readStatus(cmd.Context(), env, dir)
			if err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(env.Out).Encode(s)
			}
			return s.write(env, members)
		},
	}
	dirFlag(cmd, &dir, "this host")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().BoolVar(&members, "members", false, "print every member, not only those who have not delivered")
	return cmd
}

// hostStatus is what muster host status --json prints.
type hostStatus struct {
	Member  coalition.MemberID `json:"member"`
	Role    string             `json:"role"` // "Leader" or "Helper"
	Cycle   string             `json:"cycle"`
	Marking string             `json:"marking,omitempty"`
	Peer    coalition.MemberID `json:"peer"`
	Charter string             `json:"charter"` // hex SHA-256
	Cohorts []cohortStatus     `json:"cohorts"`
	Record  ledger.Tail        `json:"record"`
}

// cohortStatus is a cohort's. Times are RFC 3339, UTC.
type cohortStatus struct {
	Cohort   string          `json:"cohort"`
	Task     string          `json:"task_id"`
	Phase    aggregate.Phase `json:"phase"` // empty: not served yet
	Deadline time.Time       `json:"deadline"`
	Over     bool            `json:"deadline_over"`
	Addenda  []addendumView  `json:"addenda"`
	Wipe     time.Time       `json:"wipe"`

	Size       int            `json:"cohort_members"`
	Minimum    int            `json:"minimum_batch"`
	Members    []memberStatus `json:"members"`
	Unclaimed  int            `json:"uploads_without_receipt"`
	SetAside   []setAsideView `json:"set_aside"`
	Roster     *rosterView    `json:"roster"` // null before the freeze
	Amendments []amendedView  `json:"amendments"`

	Jobs        int                       `json:"jobs"`
	JobsDone    int                       `json:"jobs_done"`
	Accepted    int                       `json:"accepted"`
	NotAccepted []struckView              `json:"not_accepted"`
	Collection  aggregate.CollectionState `json:"collection"`
	Driver      *driverView               `json:"driver"` // null: nobody drives
}

type addendumView struct {
	Number   int       `json:"number"`
	Deadline time.Time `json:"deadline"`
	Reason   string    `json:"reason"`
}

// memberStatus says what a member has delivered to this host.
type memberStatus struct {
	Member   coalition.MemberID `json:"member"`
	State    memberState        `json:"state"`
	Sequence uint64             `json:"seq,omitempty"` // of its last submission that counts
}

type memberState string

// A Leader has uploads, a Helper has not: there a receipt is all that can be.
const (
	delivered   memberState = "complete"
	receiptOnly memberState = "receipt only"
	receiptHere memberState = "receipt"
	nothingYet  memberState = "nothing"
)

type setAsideView struct {
	Member   coalition.MemberID `json:"member"`
	Sequence uint64             `json:"seq"`
}

type rosterView struct {
	Submissions int    `json:"submissions"` // with the amendments taken off
	Digest      string `json:"digest"`      // of the last amendment, or of the roster
}

type amendedView struct {
	Number int          `json:"number"`
	Struck []struckView `json:"struck"`
}

type struckView struct {
	Member coalition.MemberID `json:"member"`
	Reason string             `json:"reason"` // DAP's name of the error
}

type driverView struct {
	Holder string    `json:"holder"`
	Until  time.Time `json:"until"`
}

func readStatus(ctx context.Context, env Env, dir string) (s *hostStatus, err error) {
	k, err := readHost(dir)
	if err != nil {
		return nil, err
	}
	s = &hostStatus{
		Member: k.cfg.Member, Role: roleName(k.role), Cycle: k.charter.Cycle, Marking: k.charter.Marking, Peer: k.peer(), Charter: k.signed.Digest(),
	}
	db, err := k.database(ctx)
	if errs.KindOf(err) == errs.NotFound && k.cfg.SQLite != "" {
		for _, cohort := range k.charter.Cohorts {
			s.Cohorts = append(s.Cohorts, k.notServed(env, cohort))
		}
		return s, nil
	}
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	for _, cohort := range k.charter.Cohorts {
		status, err := k.status(ctx, env, db, cohort.ID)
		if err != nil {
			return nil, err
		}
		s.Cohorts = append(s.Cohorts, k.view(cohort, status))
	}
	s.Record, err = db.RecordTail(ctx)
	return s, err
}

// notServed is the status of a host that has no database yet.
func (k *knownHost) notServed(env Env, cohort coalition.Cohort) cohortStatus {
	deadline := time.Unix(k.charter.Deadline, 0)
	v := k.view(cohort, aggregate.Status{
		Members: len(cohort.Members), Minimum: cohort.MinimumBatch, Deadline: deadline, Over: !env.Now().Before(deadline),
		Wipe: time.Unix(k.charter.Wipe, 0), Collection: aggregate.NotCollected,
	})
	v.Task = cohort.Task.ID
	return v
}

// view turns a status into what is printed: lists that are empty and not null,
// times in UTC.
func (k *knownHost) view(cohort coalition.Cohort, s aggregate.Status) cohortStatus {
	v := cohortStatus{
		Cohort: cohort.ID, Task: s.Task.String(), Phase: s.Phase, Deadline: s.Deadline.UTC(), Over: s.Over, Addenda: []addendumView{}, Wipe: s.Wipe.UTC(),
		Size: s.Members, Minimum: s.Minimum, Members: k.members(cohort, s.Deliveries), Unclaimed: s.Counts.Unclaimed, SetAside: []setAsideView{},
		Amendments: []amendedView{}, Jobs: s.Counts.Jobs, JobsDone: s.Counts.JobsDone, Accepted: s.Counts.Accepted,
		NotAccepted: strikes(s.Rejected), Collection: s.Collection,
	}
	for _, a := range s.Addenda {
		v.Addenda = append(v.Addenda, addendumView{a.Number, time.Unix(a.Deadline, 0).UTC(), a.Reason})
	}
	for _, r := range s.SetAside {
		v.SetAside = append(v.SetAside, setAsideView(r))
	}
	if s.Roster != nil {
		v.Roster = &rosterView{len(s.Roster.Entries), s.RosterDigest}
	}
	for _, a := range s.Amendments {
		v.Amendments = append(v.Amendments, amendedView{a.Number, strikes(a.Struck)})
	}
	if s.Driver != nil {
		v.Driver = &driverView{s.Driver.Holder, s.Driver.Expires.UTC()}
	}
	return v
}

func strikes(list []coalition.Strike) []struckView {
	views := []struckView{}
	for _, s := range list {
		views = append(views, struckView{s.Member, s.Reason})
	}
	return views
}

// members returns what every member of the cohort has delivered, by name.
func (k *knownHost) members(cohort coalition.Cohort, deliveries []aggregate.Delivery) []memberStatus {
	last := make(map[coalition.MemberID]aggregate.Delivery, len(deliveries))
	for _, d := range deliveries {
		last[d.Member] = d
	}
	list := make([]memberStatus, 0, len(cohort.Members))
	for _, m := range cohort.Members {
		d, ok := last[m.ID]
		state := receiptOnly
		switch {
		case !ok:
			state = nothingYet
		case k.role == dap.RoleHelper:
			state = receiptHere
		case d.Report:
			state = delivered
		}
		list = append(list, memberStatus{m.ID, state, d.Sequence})
	}
	slices.SortFunc(list, func(a, b memberStatus) int { return cmp.Compare(a.Member, b.Member) })
	return list
}
