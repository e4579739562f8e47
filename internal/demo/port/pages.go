package port

import (
	"bytes"
	"io"
	"strings"

	"muster/internal/exchange"
	"muster/internal/exchange/register"
	"muster/internal/web"
	page "muster/internal/web/cascade"
)

// missionNames are the missions' names in French; everything else that is invented
// has one name.
var missionNames = map[string]string{
	"reinforcement": "Renfort par les ports",
	"lights":        "Maintien de l'électricité",
	"supply":        "Vivres et biens pour les îles",
	"fuel":          "Carburant pour les hôpitaux et les forces",
	"voice":         "Des gouvernements qui peuvent se parler",
	"crossings":     "Passage sûr des navires",
}

// Pages returns what the pages of the community are drawn from, read as a user's
// files are. Parameters are those that muster brings; sea is the sea's name.
func (c *Community) Pages(sea string) (page.Config, error) {
	r, err := c.register()
	if err != nil {
		return page.Config{}, err
	}
	var scenarios []*exchange.Scenario
	var names []string
	for _, file := range c.Scenarios {
		s, err := again(file.Write, func(in io.Reader) (*exchange.Scenario, error) { return r.ReadScenario(file.ID+".yaml", in) })
		if err != nil {
			return page.Config{}, err
		}
		scenarios, names = append(scenarios, s), append(names, file.ID)
	}
	measures, err := again(c.Measures.Write, func(in io.Reader) (*exchange.Measures, error) { return r.ReadMeasures("measures.yaml", in) })
	if err != nil {
		return page.Config{}, err
	}
	parameters, err := exchange.ReadParameters("default", strings.NewReader(exchange.DefaultParameters()))
	if err != nil {
		return page.Config{}, err
	}
	cfg, err := register.Pages(r, scenarios, names, measures, parameters, nil)
	if err != nil {
		return page.Config{}, err
	}
	for i, s := range r.Services {
		if french, ok := missionNames[s.ID]; ok && s.Mission {
			cfg.Register.Names[i] = web.Text{In: map[string]string{"en": r.Name(i), "fr": french}, First: "en"}
		}
	}
	cfg.Chart = Chart(sea)
	return cfg, nil
}

func (c *Community) register() (*exchange.Register, error) {
	var services, requirements bytes.Buffer
	if err := exchange.Services.WriteCSV(&services, c.Services); err != nil {
		return nil, err
	}
	if err := exchange.Requirements.WriteCSV(&requirements, c.Requirements); err != nil {
		return nil, err
	}
	return exchange.ReadRegister("services.csv", &services, "requirements.csv", &requirements)
}

// again reads what was written.
func again[T any](write func(io.Writer) error, read func(io.Reader) (T, error)) (T, error) {
	var b bytes.Buffer
	if err := write(&b); err != nil {
		var none T
		return none, err
	}
	return read(&b)
}
