package config

import (
	"fmt"
	"reflect"
	"strings"
	"time"
)

// Prefix begins the name of every environment variable of this program.
const Prefix = "SARRAF_"

// FileVariable names the environment variable with the path of the file.
const FileVariable = Prefix + "CONFIG"

// Setting is one thing that can be set.
type Setting struct {
	Key     string // in the file, sections divided by dots: "network.addr"
	Usage   string // what it means, for people
	Default string // as it would be written; empty when it follows from others
}

// Variable is the name of the setting in the environment: SARRAF_NETWORK_ADDR.
func (s Setting) Variable() string {
	return Prefix + strings.ToUpper(strings.ReplaceAll(s.Key, ".", "_"))
}

// Flag is the name of the setting on the command line: network-addr.
func (s Setting) Flag() string {
	return strings.NewReplacer(".", "-", "_", "-").Replace(s.Key)
}

// Settings lists all settings in the order of [Config].
func Settings() []Setting { return settingsOf("", reflect.ValueOf(defaults())) }

func settingsOf(prefix string, v reflect.Value) []Setting {
	var all []Setting
	for i := range v.NumField() {
		field := v.Type().Field(i)
		key := prefix + field.Tag.Get("koanf")
		if field.Type.Kind() == reflect.Struct {
			all = append(all, settingsOf(key+".", v.Field(i))...)
			continue
		}
		all = append(all, Setting{Key: key, Usage: field.Tag.Get("usage"), Default: text(v.Field(i).Interface())})
	}
	return all
}

// Effective is a setting with the value in force.
type Effective struct {
	Key    string `json:"key"`
	Value  string `json:"value"`
	Source string `json:"source"` // default, file, environment, flag
}

// text is a value as it would be written in the file.
func text(v any) string {
	if d, ok := v.(time.Duration); ok {
		return shortDuration(d)
	}
	return fmt.Sprint(v)
}

// shortDuration is d without parts that are zero: 1m, not 1m0s.
func shortDuration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// nearest is the known name most like name, empty when none is like it.
func nearest(name string, known []string) string {
	best, least := "", max(len(name)/3, 3)+1
	for _, k := range known {
		if d := distance(name, k); d < least {
			best, least = k, d
		}
	}
	return best
}

// distance is how many letters must be put in, taken out or changed to turn a
// into b (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
