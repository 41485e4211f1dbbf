module github.com/sarraf-platform/sarraf/test

go 1.26.0

require (
	github.com/moov-io/iso8583 v0.25.0
	github.com/rogpeppe/go-internal v1.16.0
	github.com/sarraf-platform/sarraf v0.0.0-00010101000000-000000000000
	pgregory.net/rapid v1.3.0
)

require (
	github.com/yerden/go-util v1.1.4 // indirect
	go.yaml.in/yaml/v3 v3.0.6 // indirect
	golang.org/x/sys v0.49.0 // indirect
	golang.org/x/text v0.43.0 // indirect
	golang.org/x/tools v0.51.0 // indirect
)

replace github.com/sarraf-platform/sarraf => ../
