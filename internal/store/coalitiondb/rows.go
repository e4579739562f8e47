package coalitiondb

import (
	"database/sql"
	"errors"
	"time"

	"muster/internal/coalition"
	"muster/internal/cycle"
)

func scanParty(row scanner) (cycle.Party, error) {
	var p cycle.Party
	var added, gone sql.NullInt64
	err := row.Scan(&p.ID, &p.Name, &p.Kind, &added, &gone)
	p.Added, p.Left = moment(added), moment(gone)
	return p, err
}

func scanKey(row scanner) (cycle.Key, error) {
	var k cycle.Key
	var at sql.NullInt64
	err := row.Scan(&k.Party, &k.Number, &k.Public, &at, &k.Request)
	k.At = moment(at)
	return k, err
}

func scanCycle(row scanner) (cycle.Cycle, error) {
	var c cycle.Cycle
	var leader, helper sql.NullString
	var made, opens, deadline, wipe sql.NullInt64
	err := row.Scan(&c.ID, &c.Framework.ID, &c.Framework.Version, &c.Framework.Digest, &leader, &helper, &c.Marking, &c.Phase, &made, &opens, &deadline, &wipe, &c.Charter, &c.Release)
	c.Hosts = [2]cycle.PartyID{cycle.PartyID(leader.String), cycle.PartyID(helper.String)}
	c.Made, c.Opens, c.Deadline, c.Wipe = moment(made), moment(opens), moment(deadline), moment(wipe)
	return c, err
}

func scanStep(row scanner) (cycle.Step, error) {
	var s cycle.Step
	var at sql.NullInt64
	err := row.Scan(&s.Cycle, &s.Number, &s.From, &s.To, &s.Reason, &s.By, &at)
	s.At = moment(at)
	return s, err
}

func scanExtension(row scanner) (cycle.Extension, error) {
	var e cycle.Extension
	var from, to, at sql.NullInt64
	err := row.Scan(&e.Cycle, &e.Number, &from, &to, &e.Reason, &e.By, &at)
	e.From, e.To, e.At = moment(from), moment(to), moment(at)
	return e, err
}

func scanParticipation(row scanner) (cycle.Participation, error) {
	var p cycle.Participation
	var at sql.NullInt64
	err := row.Scan(&p.Cycle, &p.Party, &p.Number, &p.Status, &p.By, &at)
	p.At = moment(at)
	return p, err
}

func scanRequest(row scanner) (cycle.Request, error) {
	var q cycle.Request
	var of, party, asker, verdict, reason, by sql.NullString
	var at, ended sql.NullInt64
	err := row.Scan(&q.Number, &q.Kind, &of, &party, &q.Subject, &q.Reason, &asker, &q.By, &at, &verdict, &reason, &by, &ended)
	q.Cycle, q.Party, q.Asker = cycle.ID(of.String), cycle.PartyID(party.String), asker.String
	q.Verdict, q.EndReason, q.EndBy = cycle.Verdict(verdict.String), reason.String, by.String
	q.At, q.Ended = moment(at), moment(ended)
	return q, err
}

func scanApproval(row scanner) (cycle.Approval, error) {
	var a cycle.Approval
	var at sql.NullInt64
	err := row.Scan(&a.Slot, &a.Person, &a.By, &at)
	a.At = moment(at)
	return a, err
}

func scanQuestion(row scanner) (cycle.Question, error) {
	var q cycle.Question
	var wording, answer, by sql.NullString
	var asked, at sql.NullInt64
	err := row.Scan(&q.Number, &q.Cycle, &q.Asker, &q.Text, &asked, &wording, &answer, &by, &at)
	q.Wording, q.Answer, q.By, q.Asked, q.At = wording.String, answer.String, by.String, moment(asked), moment(at)
	return q, err
}

func scanContact(row scanner) (cycle.Contact, error) {
	var c cycle.Contact
	return c, row.Scan(&c.Person, &c.Address, &c.Lang)
}

func scanLine(row scanner) (cycle.Line, error) {
	var l cycle.Line
	var at sql.NullInt64
	err := row.Scan(&l.Number, &at, &l.By, &l.What, &l.Cycle, &l.Party, &l.Detail, &l.Digest)
	l.At = moment(at)
	return l, err
}

// Coalition implements [cycle.Reader].
func (t *coalitionTx) Coalition() (string, error) {
	var name string
	err := t.row(coalitionQuery).Scan(&name)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return name, err
}

// Parties implements [cycle.Reader].
func (t *coalitionTx) Parties() ([]cycle.Party, error) { return every(t, scanParty, partiesQuery) }

// Party implements [cycle.Reader].
func (t *coalitionTx) Party(id cycle.PartyID) (cycle.Party, bool, error) {
	return only(t.row(partyQuery, string(id)), scanParty)
}

// Keys implements [cycle.Reader].
func (t *coalitionTx) Keys() ([]cycle.Key, error) { return every(t, scanKey, keysQuery) }

// Cycles implements [cycle.Reader].
func (t *coalitionTx) Cycles() ([]cycle.Cycle, error) { return every(t, scanCycle, cyclesQuery) }

// Cycle implements [cycle.Reader].
func (t *coalitionTx) Cycle(id cycle.ID) (cycle.Cycle, bool, error) {
	return only(t.row(cycleQuery, string(id)), scanCycle)
}

// Steps implements [cycle.Reader].
func (t *coalitionTx) Steps(id cycle.ID) ([]cycle.Step, error) {
	return every(t, scanStep, stepsQuery, string(id))
}

// Extensions implements [cycle.Reader].
func (t *coalitionTx) Extensions(id cycle.ID) ([]cycle.Extension, error) {
	return every(t, scanExtension, extensionsQuery, string(id))
}

// Participations implements [cycle.Reader].
func (t *coalitionTx) Participations(id cycle.ID) ([]cycle.Participation, error) {
	return every(t, scanParticipation, participationsQuery, string(id))
}

// History implements [cycle.Reader].
func (t *coalitionTx) History(id cycle.ID, party cycle.PartyID) ([]cycle.Participation, error) {
	return every(t, scanParticipation, historyQuery, string(id), string(party))
}

// Requests implements [cycle.Reader].
func (t *coalitionTx) Requests() ([]cycle.Request, error) { return t.requests(requestsQuery) }

// RequestsOf implements [cycle.Reader].
func (t *coalitionTx) RequestsOf(id cycle.ID) ([]cycle.Request, error) {
	return t.requests(requestsOfQuery, string(id))
}

func (t *coalitionTx) requests(query string, args ...any) ([]cycle.Request, error) {
	all, err := every(t, scanRequest, query, args...)
	for i := range all {
		if err == nil {
			all[i].Approvals, err = every(t, scanApproval, approvalsQuery, all[i].Number)
		}
	}
	return all, err
}

// Request implements [cycle.Reader].
func (t *coalitionTx) Request(number int64) (cycle.Request, bool, error) {
	q, ok, err := only(t.row(requestQuery, number), scanRequest)
	if ok && err == nil {
		q.Approvals, err = every(t, scanApproval, approvalsQuery, number)
	}
	return q, ok, err
}

// Questions implements [cycle.Reader].
func (t *coalitionTx) Questions(id cycle.ID) ([]cycle.Question, error) {
	return every(t, scanQuestion, questionsQuery, string(id))
}

// Question implements [cycle.Reader].
func (t *coalitionTx) Question(number int64) (cycle.Question, bool, error) {
	return only(t.row(questionQuery, number), scanQuestion)
}

// Contacts implements [cycle.Reader].
func (t *coalitionTx) Contacts() ([]cycle.Contact, error) {
	return every(t, scanContact, contactsQuery)
}

// Sent implements [cycle.Reader].
func (t *coalitionTx) Sent(s cycle.Sending) (bool, error) {
	var n int
	err := t.row(sentQuery, s.Person, string(s.Cycle), s.Topic).Scan(&n)
	return n > 0, err
}

// Lines implements [cycle.Reader].
func (t *coalitionTx) Lines(from int64, most int) ([]cycle.Line, error) {
	return every(t, scanLine, linesQuery, from, most)
}

// Latest implements [cycle.Reader].
func (t *coalitionTx) Latest(most int) ([]cycle.Line, error) {
	return every(t, scanLine, latestQuery, most)
}

// Begin implements [cycle.Tx].
func (t *coalitionTx) Begin(name string) error { return t.exec(beginQuery, name) }

// PutParty implements [cycle.Tx].
func (t *coalitionTx) PutParty(p cycle.Party) error {
	return t.exec(putPartyQuery, string(p.ID), string(p.Name), coalition.Fold(string(p.Name)), string(p.Kind), micros(p.Added), micros(p.Left))
}

// PutCycle implements [cycle.Tx].
func (t *coalitionTx) PutCycle(c cycle.Cycle) error {
	return t.exec(putCycleQuery, string(c.ID), c.Framework.ID, c.Framework.Version, c.Framework.Digest, word(c.Hosts[0]), word(c.Hosts[1]), c.Marking, string(c.Phase),
		micros(c.Made), micros(c.Opens), micros(c.Deadline), micros(c.Wipe), c.Charter, c.Release)
}

// PutContact implements [cycle.Tx].
func (t *coalitionTx) PutContact(c cycle.Contact) error {
	if c.Address == "" {
		return t.exec(dropContactQuery, c.Person)
	}
	return t.exec(putContactQuery, c.Person, c.Address, c.Lang)
}

// AddKey implements [cycle.Tx].
func (t *coalitionTx) AddKey(k cycle.Key) error {
	return t.exec(addKeyQuery, string(k.Party), k.Number, string(k.Public), micros(k.At), k.Request)
}

// AddStep implements [cycle.Tx].
func (t *coalitionTx) AddStep(s cycle.Step) error {
	return t.exec(addStepQuery, string(s.Cycle), s.Number, string(s.From), string(s.To), s.Reason, s.By, micros(s.At))
}

// AddExtension implements [cycle.Tx].
func (t *coalitionTx) AddExtension(e cycle.Extension) error {
	return t.exec(addExtensionQuery, string(e.Cycle), e.Number, micros(e.From), micros(e.To), e.Reason, e.By, micros(e.At))
}

// AddParticipation implements [cycle.Tx].
func (t *coalitionTx) AddParticipation(p cycle.Participation) error {
	return t.exec(addParticipationQuery, string(p.Cycle), string(p.Party), p.Number, string(p.Status), p.By, micros(p.At))
}

// AddRequest implements [cycle.Tx].
func (t *coalitionTx) AddRequest(q cycle.Request) (int64, error) {
	var number int64
	err := t.row(addRequestQuery, string(q.Kind), word(q.Cycle), word(q.Party), q.Subject, q.Reason, word(q.Asker), q.By, micros(q.At)).Scan(&number)
	return number, err
}

// AddApproval implements [cycle.Tx].
func (t *coalitionTx) AddApproval(request int64, a cycle.Approval) error {
	return t.exec(addApprovalQuery, request, a.Slot, a.Person, a.By, micros(a.At))
}

// EndRequest implements [cycle.Tx].
func (t *coalitionTx) EndRequest(request int64, verdict cycle.Verdict, reason, by string, at time.Time) error {
	return t.exec(endRequestQuery, string(verdict), reason, by, micros(at), request)
}

// AddQuestion implements [cycle.Tx].
func (t *coalitionTx) AddQuestion(q cycle.Question) (int64, error) {
	var number int64
	err := t.row(addQuestionQuery, string(q.Cycle), q.Asker, q.Text, micros(q.Asked)).Scan(&number)
	return number, err
}

// PutAnswer implements [cycle.Tx].
func (t *coalitionTx) PutAnswer(q cycle.Question) error {
	return t.exec(putAnswerQuery, q.Wording, q.Answer, q.By, micros(q.At), q.Number)
}

// AddSending implements [cycle.Tx].
func (t *coalitionTx) AddSending(s cycle.Sending) error {
	return t.exec(addSendingQuery, s.Person, string(s.Cycle), s.Topic, micros(s.At))
}

// AddLine implements [cycle.Tx].
func (t *coalitionTx) AddLine(l cycle.Line) error {
	return t.exec(addLineQuery, l.Number, micros(l.At), l.By, string(l.What), string(l.Cycle), string(l.Party), l.Detail, l.Digest)
}
