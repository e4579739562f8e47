package coalition

import "muster/internal/web"

// Collective is what the coalition says of itself in one cycle: one answer an
// outcome, given by the coordinator and open to all members.
type Collective struct {
	Coalition string
	Cycle     string
	Marking   string
	Pack      string
	Version   string
	PackTitle web.Text
	Levels    [5]web.Text
	HouseRule web.Text
	Areas     []CollectiveArea

	body []byte // the file that it was read from
}

// CollectiveArea is the answers of an area.
type CollectiveArea struct {
	ID       string
	Title    web.Text
	Outcomes []CollectiveOutcome
}

// CollectiveOutcome is one answer.
type CollectiveOutcome struct {
	ID       string
	Title    web.Text
	Level    int    // 0 to 4, or -1 where none is given
	Target   int    // 0 to 4, or -1
	Evidence string // "E0" to "E3", or empty
}
