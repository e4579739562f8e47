package cascade

const hour Minutes = 60

// A Replay is a documented outage. Buffers and lags are taken from what was
// reported of it: the model is calibrated on these incidents and predicts none of
// them. What they show is that five constructs are enough to tell them: a shared
// system, a buffer, substitutes, a restart lag, and a share lost.
type Replay struct {
	Name         string
	Source       string // on which it is calibrated
	Services     []Service
	Requirements []Requirement
	Hit          []int32  // indexes of services, for certain
	Reported     [][]Span // by service: when it was down
}

// Span is an interval in which a service is down.
type Span struct{ From, To Minutes }

func outage(id string, repair, restart Minutes) Service {
	return Service{ID: id, Weight: 1, Severity: Always, Repair: Repair{Median: repair}, Restart: restart}
}

func needs(service int32, need int32, buffer Minutes, suppliers ...int32) Requirement {
	return Requirement{Service: service, Name: "supply", Need: need, Suppliers: suppliers, Binding: Always, Buffer: buffer}
}

func down(from, to Minutes) []Span { return []Span{{From: from, To: to}} }

// Replays returns the documented outages.
func Replays() []Replay {
	return []Replay{
		{
			Name: "Nagoya 2023: five terminals share a system",
			Source: "Loadstar and ASIS, July 2023: terminal system down from 4 July 06:30 to 6 July 07:30, " +
				"terminals back between 15:00 and 18:30 of that day; car production went on",
			Services: []Service{
				outage("terminal system", 49*hour, 0),
				outage("first terminal back", hour, 7*hour+30), outage("last terminal back", hour, 11*hour),
				outage("car production", hour, 0),
			},
			Requirements: []Requirement{needs(1, 1, 0, 0), needs(2, 1, 0, 0), needs(3, 1, 72*hour, 1, 2)},
			Hit:          []int32{0},
			Reported:     [][]Span{down(0, 49*hour), down(0, 56*hour+30), down(0, 60*hour), nil},
		},
		{
			Name: "DP World Australia 2023: ships are worked until the yard is full",
			Source: "AFR and Transport Topics, November 2023: about 71 hours from 10 to 13 November, " +
				"yards 90 % full after two days, ships worked throughout",
			Services: []Service{
				outage("landside systems", 71*hour, 0), outage("gates", hour, 0), outage("yard", hour, 0), outage("quay", hour, 0),
			},
			Requirements: []Requirement{needs(1, 1, 0, 0), needs(2, 1, 53*hour, 1), needs(3, 1, 24*hour, 2)},
			Hit:          []int32{0},
			Reported:     [][]Span{down(0, 71*hour), down(0, 71*hour), down(53*hour, 71*hour), nil},
		},
		{
			Name: "Oiltanking 2022: others deliver",
			Source: "Reuters and security.nl, January and February 2022: 13 German depots stopped loading, " +
				"Shell rerouted to other depots, filling stations stayed supplied",
			Services: []Service{
				outage("depots of the operator", 14*24*hour, 0), outage("other depots", hour, 0),
				outage("filling stations", hour, 0), outage("captive customer", hour, 0),
			},
			Requirements: []Requirement{needs(2, 1, 0, 0, 1), needs(3, 1, 0, 0)},
			Hit:          []int32{0},
			Reported:     [][]Span{down(0, 14*24*hour), nil, nil, down(0, 14*24*hour)},
		},
		{
			Name: "Colonial 2021: stations run dry late and long",
			Source: "Slate and Bloomberg, May 2021: pipeline stopped for about 130 hours from 7 May, more than 16,000 stations dry on the 14th; " +
				"stocks of 48 and 24 hours and refilling of 96 are fitted, and panic buying is not modelled",
			Services: []Service{
				outage("pipeline", 130*hour, 0), outage("tank farms", hour, 72*hour), outage("stations", hour, 24*hour),
			},
			Requirements: []Requirement{needs(1, 1, 48*hour, 0), needs(2, 1, 24*hour, 1)},
			Hit:          []int32{0},
			Reported:     [][]Span{down(0, 130*hour), down(48*hour, 202*hour), down(72*hour, 226*hour)},
		},
		{
			Name: "Viasat 2022: turbines run without remote control",
			Source: "Viasat and Enercon, February to April 2022: 5,800 turbines lost remote control and went on generating; " +
				"half of the modems were back after 22.7 days",
			Services: []Service{outage("satellite modems", 32_688, 0), outage("remote control", hour, 0), outage("generation", hour, 0)},
			Requirements: []Requirement{
				needs(1, 1, 0, 0),
				{Service: 2, Name: "supply", Need: 1, Suppliers: []int32{1}, Binding: 0}, // it can do without
			},
			Hit:      []int32{0},
			Reported: [][]Span{down(0, 32_688), down(0, 32_688), nil},
		},
	}
}

// replayHorizon is how far a replay looks.
const replayHorizon = 60 * 24 * hour

// Run returns when each service of the replay is down by the event engine, in
// continuous time.
func (r Replay) Run() ([][]Span, error) {
	g, err := NewGraph(r.Services, r.Requirements)
	if err != nil {
		return nil, err
	}
	s := Scenario{Hits: make([]Probability, len(r.Services))}
	for _, i := range r.Hit {
		s.Hits[i] = Always
	}
	run, err := newRunner(g, s, Options{Trials: 1, Engine: Event, Horizon: replayHorizon})
	if err != nil {
		return nil, err
	}
	e := run.worker().event
	e.run(0, 0, 0)
	down := make([][]Span, len(r.Services))
	for _, f := range e.lane(0) {
		i := g.plan.service[f.rank]
		first, more := e.intervals(f)
		down[i] = append(down[i], Span{first.from, first.to})
		for _, x := range more {
			down[i] = append(down[i], Span{x.from, x.to})
		}
	}
	return down, nil
}
