package cycle

import (
	"context"
	"slices"
	"time"

	"muster/internal/coalition"
)

// TaskCode names a kind of tasks, for pages in any language.
type TaskCode string

// The kinds of tasks.
const (
	TaskApprove TaskCode = "approve" // somebody asked for what needs this person too
	TaskAnswer  TaskCode = "answer"  // questions wait
	TaskPlan    TaskCode = "plan"    // a draft is not complete
	TaskEnrol   TaskCode = "enrol"   // keys are missing
	TaskStep    TaskCode = "step"    // a cycle could go on
	TaskChase   TaskCode = "chase"   // members have not delivered
	TaskFreeze  TaskCode = "freeze"  // a host freezes its list
	TaskSendKey TaskCode = "key"     // a party's key is not enrolled
	TaskComment TaskCode = "comment" // a charter is under consultation
	TaskDeliver TaskCode = "deliver" // answers are due
)

// Task is one thing that is a person's to do now.
type Task struct {
	Code    TaskCode
	Cycle   ID
	Party   Party           // whose, where it is one party's
	To      coalition.Phase // of a step
	Request Request         // to approve
	N, Of   int             // how many of how many, where it is about that
	Due     time.Time       // zero: as soon as it can be
	Overdue bool
}

// Tasks returns what is a person's to do now, the most urgent first.
func (s *Service) Tasks(ctx context.Context, who Person) ([]Task, error) {
	var list []Task
	err := s.view(ctx, "list what is to be done", func(r Reader) (err error) {
		list, err = tasks(r, who, s.moment())
		return err
	})
	return list, err
}

func tasks(r Reader, who Person, now time.Time) ([]Task, error) {
	var list []Task
	sight, err := sightOf(r, who, now)
	if err != nil {
		return nil, err
	}
	requests, err := asked(r, sight)
	if err != nil {
		return nil, err
	}
	for _, q := range requests {
		if q.Mine {
			t := Task{Code: TaskApprove, Cycle: q.Cycle, Request: q.Request}
			if q.Party != "" {
				if t.Party, _, err = r.Party(q.Party); err != nil {
					return nil, err
				}
			}
			list = append(list, t)
		}
	}
	cycles, err := r.Cycles()
	if err != nil {
		return nil, err
	}
	g, err := registerOf(r)
	if err != nil {
		return nil, err
	}
	for _, c := range cycles {
		if ended(c.Phase) {
			continue
		}
		st, err := g.state(r, c, now)
		if err != nil {
			return nil, err
		}
		if !sight.passes(c.subject(st.board)) {
			continue
		}
		if who.Is(RoleCoordinator) {
			more, err := st.staffTasks(r)
			if err != nil {
				return nil, err
			}
			list = append(list, more...)
		}
		list = append(list, st.hostTasks(who)...)
		list = append(list, st.partyTasks(who)...)
	}
	for i := range list {
		list[i].Overdue = !list[i].Due.IsZero() && !now.Before(list[i].Due)
	}
	slices.SortStableFunc(list, func(a, b Task) int {
		switch {
		case a.Due.Equal(b.Due):
			return 0
		case a.Due.IsZero():
			return -1
		case b.Due.IsZero():
			return 1
		}
		return a.Due.Compare(b.Due)
	})
	return list, nil
}

// ended reports whether nothing is to be done about a cycle in a phase.
func ended(p coalition.Phase) bool { return p == coalition.Archived || p == coalition.Cancelled }

// staffTasks are those of the coordinator's staff about a cycle.
func (st state) staffTasks(r Reader) ([]Task, error) {
	var list []Task
	questions, err := r.Questions(st.ID)
	if err != nil {
		return nil, err
	}
	if n := len(slices.DeleteFunc(questions, Question.Answered)); n > 0 {
		list = append(list, Task{Code: TaskAnswer, Cycle: st.ID, N: n})
	}
	if missing := st.planned(); st.Phase == coalition.Draft && len(missing) > 0 {
		list = append(list, Task{Code: TaskPlan, Cycle: st.ID, N: len(missing)})
	}
	if missing := st.keys(); (st.Phase == coalition.Draft || st.Phase == coalition.Consultation) && len(missing) > 0 {
		list = append(list, Task{Code: TaskEnrol, Cycle: st.ID, N: len(missing[0].Names), Of: len(st.board)})
	}
	if st.Phase == coalition.Open {
		n, of := st.count(Member, Delivered, Declined)
		more, partners := st.count(Partner, Delivered, Declined)
		if late := of + partners - n - more; late > 0 {
			list = append(list, Task{Code: TaskChase, Cycle: st.ID, N: late, Of: of + partners, Due: st.Deadline})
		}
	}
	for _, w := range st.ways() {
		if !w.Reason && len(w.Obstacles) == 0 {
			list = append(list, Task{Code: TaskStep, Cycle: st.ID, To: w.To})
		}
	}
	return list, nil
}

// hostTasks are those of an engineer of one of the hosts.
func (st state) hostTasks(who Person) []Task {
	var list []Task
	for _, host := range st.Hosts {
		if host != "" && who.For(RoleEngineer, host) && (st.Phase == coalition.Open || st.Phase == coalition.Closing) && !st.now.Before(st.Deadline) {
			list = append(list, Task{Code: TaskFreeze, Cycle: st.ID, Party: st.parties[host], Due: st.Deadline})
		}
	}
	return list
}

// partyTasks are those of who speaks for a party.
func (st state) partyTasks(who Person) []Task {
	var list []Task
	for _, p := range st.board {
		if !who.speaksFor(p.Party) || p.Status == Declined {
			continue
		}
		t := Task{Cycle: st.ID, Party: st.parties[p.Party]}
		if (st.Phase == coalition.Draft || st.Phase == coalition.Consultation) && !st.keyed[p.Party] {
			t.Code = TaskSendKey
			list = append(list, t)
		}
		switch {
		case st.Phase == coalition.Consultation:
			t.Code = TaskComment
			list = append(list, t)
		case st.Phase == coalition.Open && p.Status != Delivered:
			t.Code, t.Due = TaskDeliver, st.Deadline
			list = append(list, t)
		}
	}
	return list
}
