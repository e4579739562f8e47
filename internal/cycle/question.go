package cycle

import (
	"context"
	"fmt"

	"muster/internal/errs"
)

// Ask asks a question about a cycle. Who asked is told to nobody: the staff reads the
// text, everybody else what the staff makes of it when it answers.
func (s *Service) Ask(ctx context.Context, who Person, id ID, words string) (number int64, err error) {
	if who.ID == "" {
		return 0, errs.New(errs.Denied, "a command asks no question", "ask on the page")
	}
	if who.Is(RoleAuditor) && len(who.Grants) == 1 {
		return 0, errs.New(errs.Denied, "an auditor asks in her report", "")
	}
	if err := text("the question", words); err != nil {
		return 0, err
	}
	err = s.change(ctx, "ask a question", func(tx Tx) error {
		if _, err := s.cycleOf(tx, who, id); err != nil {
			return err
		}
		all, err := tx.Questions(id)
		if err != nil {
			return err
		}
		if len(all) >= maxQuestions {
			return errs.New(errs.Invalid, fmt.Sprintf("%d questions were asked about this cycle, and no more are taken", len(all)), "")
		}
		if number, err = tx.AddQuestion(Question{Cycle: id, Asker: who.ID, Text: words, Asked: s.moment()}); err != nil {
			return err
		}
		return s.write(tx, Line{What: QuestionAsked, Cycle: id, Detail: fmt.Sprintf("question %d", number)})
	})
	return number, err
}

// Answer answers a question to everybody, in a wording that does not say who asked.
func (s *Service) Answer(ctx context.Context, who Person, number int64, wording, answer string) error {
	if err := who.staff("answer questions"); err != nil {
		return err
	}
	if err := text("the question as all read it", wording); err != nil {
		return err
	}
	if err := text("the answer", answer); err != nil {
		return err
	}
	return s.change(ctx, "answer a question", func(tx Tx) error {
		q, ok, err := tx.Question(number)
		if err != nil {
			return err
		}
		if !ok {
			return errs.New(errs.NotFound, "there is no such question", "")
		}
		if q.Answered() {
			return errs.New(errs.Conflict, "this question is answered already", "what was answered stays; if it was wrong, ask and answer again")
		}
		q.Wording, q.Answer, q.By, q.At = wording, answer, who.Name, s.moment()
		if err := tx.PutAnswer(q); err != nil {
			return err
		}
		return s.write(tx, Line{At: q.At, By: who.Name, What: QuestionAnswered, Cycle: q.Cycle, Detail: fmt.Sprintf("question %d", number)})
	})
}

// Questions returns what a person may read of the questions of a cycle, by number:
// every answered one as all read it, and those that wait as they were asked to the
// staff, auditors and who asked. Asker is empty but for the reader's own.
func (s *Service) Questions(ctx context.Context, who Person, id ID) ([]Question, error) {
	var list []Question
	err := s.view(ctx, "list the questions", func(r Reader) error {
		if _, err := s.cycleOf(r, who, id); err != nil {
			return err
		}
		all, err := r.Questions(id)
		if err != nil {
			return err
		}
		sight, err := sightOf(r, who, s.moment())
		list = nil
		for _, q := range all {
			if err != nil || !q.Answered() && !sight.passes(q.waiting()) {
				continue
			}
			own := who.ID != "" && q.Asker == who.ID
			if !own {
				q.Asker = ""
				if q.Answered() {
					q.Text = ""
				}
			}
			list = append(list, q)
		}
		return err
	})
	return list, err
}
