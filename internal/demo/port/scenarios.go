package port

import "muster/internal/exchange"

// scenarios are the seven shocks. How likely each hit is and how long repair takes
// are of the size that reported outages had, and invented.
func scenarios() []exchange.ScenarioFile {
	type row = exchange.Exposure
	tag := func(value, hit string) row { return row{Select: "tag", Value: value, Hit: hit} }
	s := []exchange.ScenarioFile{
		{
			ID:    "terminal-system",
			Title: exchange.Words{"en": "Ransomware at a shared terminal operating system", "fr": "Rançongiciel dans un système d'exploitation de terminal partagé"},
			Text: exchange.Words{
				"en": "An update of one product carries the attack to every terminal that runs it.",
				"fr": "Une mise à jour d'un produit porte l'attaque à tous les terminaux qui l'utilisent.",
			},
			Source:   "SYNTHETIC; repair as long as reported of Nagoya in July 2023",
			Controls: "0.7", Repair: "49h", Spread: "0.6",
			Exposed: []row{tag("product:berthwise", "0.6")},
		},
		{
			ID:    "community-system",
			Title: exchange.Words{"en": "Loss of a port community system", "fr": "Perte d'un système communautaire portuaire"},
			Text: exchange.Words{
				"en": "Two of the five systems share an operator; one is lost for certain.",
				"fr": "Deux des cinq systèmes ont le même exploitant ; l'un est perdu à coup sûr.",
			},
			Source:   "SYNTHETIC; landside systems as long as reported of Australia in November 2023",
			Controls: "0.3", Repair: "71h", Spread: "0.5",
			Exposed: []row{{Select: "id", Value: "exchange-harbourweave", Hit: "1"}, {Select: "id", Value: "exchange-quaythread", Hit: "0.2"}},
		},
		{
			ID:     "cloud-region",
			Title:  exchange.Words{"en": "Loss of a cloud region", "fr": "Perte d'une région d'informatique en nuage"},
			Source: "SYNTHETIC", Controls: "0.1", Repair: "30h", Spread: "0.9",
			Exposed: []row{{Select: "id", Value: "cloud-cumulane-north-1", Hit: "1"}, tag("vendor:cumulane", "0.25")},
		},
		{
			ID:     "cable-pair",
			Title:  exchange.Words{"en": "A pair of submarine cables cut", "fr": "Deux câbles sous-marins coupés"},
			Source: "SYNTHETIC", Controls: "0.05", Repair: "14d", Spread: "0.4",
			Exposed: []row{
				{Select: "id", Value: "cable-amberline", Hit: "1"},
				{Select: "id", Value: "cable-farstrand", Hit: "1"},
				{Select: "id", Value: "cable-tidelock", Hit: "0.3"},
			},
		},
		{
			ID:     "position-and-time",
			Title:  exchange.Words{"en": "Satellite position and time not to be trusted", "fr": "Position et heure par satellite indignes de confiance"},
			Source: "SYNTHETIC; modems as reported of February 2022, for position and time without precedent of that length", Controls: "0.2", Repair: "3d", Spread: "0.8",
			Exposed: []row{tag("service:position", "0.9"), tag("service:relay", "0.2")},
		},
		{
			ID:     "energy-vendor",
			Title:  exchange.Words{"en": "A vendor of energy management compromised", "fr": "Un fournisseur de conduite de réseau compromis"},
			Source: "SYNTHETIC", Controls: "0.5", Repair: "4d", Spread: "0.7",
			Exposed: []row{tag("product:gridhelm", "0.45")},
		},
		{
			ID:    "basin-campaign",
			Title: exchange.Words{"en": "A combined campaign against one sea basin", "fr": "Une campagne combinée contre un bassin maritime"},
			Text: exchange.Words{
				"en": "Ports, energy and telecom of the eastern basin at once, by an actor whom ordinary controls hinder less.",
				"fr": "Ports, énergie et télécommunications du bassin oriental à la fois, par un acteur que les mesures ordinaires gênent moins.",
			},
			Source:   "SYNTHETIC",
			Controls: "0.4",
			Exposed: []row{
				tag("basin:east", "0.15"),
				{Select: "tag", Value: "product:gridhelm", Hit: "0.1", Repair: "3d", Spread: "0.7"},
				{Select: "tag", Value: "product:berthwise", Hit: "0.15", Repair: "49h", Spread: "0.6"},
				{Select: "id", Value: "cable-coldwake", Hit: "0.5", Controls: "0.05", Repair: "14d", Spread: "0.4"},
			},
		},
	}
	for i := range s {
		s[i].Synthetic = true
	}
	return s
}
