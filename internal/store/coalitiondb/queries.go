package coalitiondb

// The columns of each table, as its scan reads them.
const (
	partyColumns         = `id, name, kind, added, gone`
	keyColumns           = `party, number, public, at, request`
	cycleColumns         = `id, framework, version, digest, leader, helper, marking, phase, made, opens, deadline, wipe, charter, release`
	stepColumns          = `cycle, number, before, after, reason, maker, at`
	extensionColumns     = `cycle, number, before, after, reason, maker, at`
	participationColumns = `cycle, party, number, status, maker, at`
	requestColumns       = `number, kind, cycle, party, subject, reason, asker, maker, at, verdict, verdict_reason, verdict_maker, ended`
	approvalColumns      = `slot, person, maker, at`
	questionColumns      = `number, cycle, asker, text, asked, wording, answer, maker, at`
	lineColumns          = `number, at, maker, what, cycle, party, detail, digest`
)

// The queries. Each is compiled once, see [queries].
const (
	coalitionQuery      = `SELECT name FROM coalition`
	partiesQuery        = `SELECT ` + partyColumns + ` FROM parties ORDER BY id`
	partyQuery          = `SELECT ` + partyColumns + ` FROM parties WHERE id = $1`
	keysQuery           = `SELECT ` + keyColumns + ` FROM party_keys AS k WHERE number = (SELECT max(number) FROM party_keys AS n WHERE n.party = k.party) ORDER BY party`
	cyclesQuery         = `SELECT ` + cycleColumns + ` FROM cycles ORDER BY made DESC, id DESC`
	cycleQuery          = `SELECT ` + cycleColumns + ` FROM cycles WHERE id = $1`
	stepsQuery          = `SELECT ` + stepColumns + ` FROM steps WHERE cycle = $1 ORDER BY number`
	extensionsQuery     = `SELECT ` + extensionColumns + ` FROM extensions WHERE cycle = $1 ORDER BY number`
	participationsQuery = `SELECT ` + participationColumns + ` FROM participations AS p WHERE cycle = $1
		AND number = (SELECT max(number) FROM participations AS n WHERE n.cycle = p.cycle AND n.party = p.party) ORDER BY party`
	historyQuery    = `SELECT ` + participationColumns + ` FROM participations WHERE cycle = $1 AND party = $2 ORDER BY number`
	requestsQuery   = `SELECT ` + requestColumns + ` FROM requests WHERE verdict IS NULL ORDER BY number`
	requestsOfQuery = `SELECT ` + requestColumns + ` FROM requests WHERE cycle = $1 ORDER BY number`
	requestQuery    = `SELECT ` + requestColumns + ` FROM requests WHERE number = $1`
	approvalsQuery  = `SELECT ` + approvalColumns + ` FROM approvals WHERE request = $1 ORDER BY at, slot`
	questionsQuery  = `SELECT ` + questionColumns + ` FROM questions WHERE cycle = $1 ORDER BY number`
	questionQuery   = `SELECT ` + questionColumns + ` FROM questions WHERE number = $1`
	contactsQuery   = `SELECT person, address, lang FROM contacts ORDER BY person`
	sentQuery       = `SELECT count(*) FROM sendings WHERE person = $1 AND cycle = $2 AND topic = $3`
	linesQuery      = `SELECT ` + lineColumns + ` FROM record WHERE number >= $1 ORDER BY number LIMIT $2`
	latestQuery     = `SELECT ` + lineColumns + ` FROM record ORDER BY number DESC LIMIT $1`

	beginQuery    = `INSERT INTO coalition (one, name) VALUES (1, $1)`
	putPartyQuery = `INSERT INTO parties (id, name, folded, kind, added, gone) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (id) DO UPDATE SET gone = excluded.gone`
	putCycleQuery = `INSERT INTO cycles (` + cycleColumns + `) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
		ON CONFLICT (id) DO UPDATE SET framework = excluded.framework, version = excluded.version, digest = excluded.digest, leader = excluded.leader, helper = excluded.helper,
			marking = excluded.marking, phase = excluded.phase, opens = excluded.opens, deadline = excluded.deadline, wipe = excluded.wipe, charter = excluded.charter, release = excluded.release`
	putContactQuery       = `INSERT INTO contacts (person, address, lang) VALUES ($1, $2, $3) ON CONFLICT (person) DO UPDATE SET address = excluded.address, lang = excluded.lang`
	dropContactQuery      = `DELETE FROM contacts WHERE person = $1`
	addKeyQuery           = `INSERT INTO party_keys (` + keyColumns + `) VALUES ($1, $2, $3, $4, $5)`
	addStepQuery          = `INSERT INTO steps (` + stepColumns + `) VALUES ($1, $2, $3, $4, $5, $6, $7)`
	addExtensionQuery     = `INSERT INTO extensions (` + extensionColumns + `) VALUES ($1, $2, $3, $4, $5, $6, $7)`
	addParticipationQuery = `INSERT INTO participations (` + participationColumns + `) VALUES ($1, $2, $3, $4, $5, $6)`
	addRequestQuery       = `INSERT INTO requests (kind, cycle, party, subject, reason, asker, maker, at, number)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, (SELECT coalesce(max(number), 0) + 1 FROM requests)) RETURNING number`
	addApprovalQuery = `INSERT INTO approvals (request, slot, person, maker, at) VALUES ($1, $2, $3, $4, $5)`
	endRequestQuery  = `UPDATE requests SET verdict = $1, verdict_reason = $2, verdict_maker = $3, ended = $4 WHERE number = $5`
	addQuestionQuery = `INSERT INTO questions (cycle, asker, text, asked, number)
		VALUES ($1, $2, $3, $4, (SELECT coalesce(max(number), 0) + 1 FROM questions)) RETURNING number`
	putAnswerQuery  = `UPDATE questions SET wording = $1, answer = $2, maker = $3, at = $4 WHERE number = $5`
	addSendingQuery = `INSERT INTO sendings (person, cycle, topic, at) VALUES ($1, $2, $3, $4)`
	addLineQuery    = `INSERT INTO record (` + lineColumns + `) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`
)

func queries() []string {
	return []string{
		coalitionQuery, partiesQuery, partyQuery, keysQuery, cyclesQuery, cycleQuery, stepsQuery, extensionsQuery, participationsQuery, historyQuery,
		requestsQuery, requestsOfQuery, requestQuery, approvalsQuery, questionsQuery, questionQuery, contactsQuery, sentQuery, linesQuery, latestQuery,
		beginQuery, putPartyQuery, putCycleQuery, putContactQuery, dropContactQuery, addKeyQuery, addStepQuery, addExtensionQuery, addParticipationQuery,
		addRequestQuery, addApprovalQuery, endRequestQuery, addQuestionQuery, putAnswerQuery, addSendingQuery, addLineQuery,
	}
}
