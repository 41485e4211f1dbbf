package config

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-viper/mapstructure/v2"
	"github.com/knadh/koanf/parsers/yaml"
	"github.com/knadh/koanf/providers/confmap"
	"github.com/knadh/koanf/providers/file"
	"github.com/knadh/koanf/providers/structs"
	"github.com/knadh/koanf/v2"
)

// Source is where settings may come from.
type Source struct {
	// Flags are the settings given on the command line, by their keys.
	Flags map[string]string
	// File is the path given on the command line. Empty means the one in
	// SARRAF_CONFIG, and no file when that is empty too.
	File string
	// Environ is the environment as NAME=value; nil means the process's own.
	Environ []string
}

// Loaded is a configuration with what is to be said about it.
type Loaded struct {
	Config    Config
	Effective []Effective // every setting, in the order of Config; no secrets
	Warnings  []string    // what was ignored and probably should not have been
}

// IsSet reports whether somebody set the setting: its value is no default.
func (l Loaded) IsSet(key string) bool {
	return slices.ContainsFunc(l.Effective, func(e Effective) bool { return e.Key == key && e.Source != "default" })
}

// Load reads the settings of src and checks them. The error names every
// setting that is wrong, and never a password.
func Load(src Source) (Loaded, error) {
	if src.Environ == nil {
		src.Environ = os.Environ()
	}
	known := Settings()
	env, path, warnings := readEnvironment(src.Environ, known)
	if src.File != "" {
		path = src.File
	}
	k := koanf.New(".")
	if err := k.Load(structs.Provider(defaults(), "koanf"), nil); err != nil {
		return Loaded{}, fmt.Errorf("take the default settings: %w", err)
	}
	sources := map[string]string{}
	if path != "" {
		fromFile, err := readFile(path, known)
		if err != nil {
			return Loaded{}, err
		}
		if err := layer(k, fromFile, "file", sources); err != nil {
			return Loaded{}, err
		}
	}
	if err := layer(k, env, "environment", sources); err != nil {
		return Loaded{}, err
	}
	flags := map[string]any{}
	for key, value := range src.Flags {
		flags[key] = value
	}
	if err := layer(k, flags, "flag", sources); err != nil {
		return Loaded{}, err
	}
	out := Loaded{Warnings: warnings}
	if err := decode(k, &out.Config); err != nil {
		return Loaded{}, err
	}
	out.Config.complete()
	out.Effective = effective(out.Config, known, sources)
	return out, out.Config.check()
}

// layer lays settings over those of k and remembers where they come from.
func layer(k *koanf.Koanf, settings map[string]any, name string, sources map[string]string) error {
	for key := range settings {
		sources[key] = name
	}
	if err := k.Load(confmap.Provider(settings, "."), nil); err != nil {
		return fmt.Errorf("take the settings of the %s: %w", name, err)
	}
	return nil
}

// readFile reads the settings of a YAML file and refuses keys nobody reads.
func readFile(path string, known []Setting) (map[string]any, error) {
	k := koanf.New(".")
	if err := k.Load(file.Provider(path), oneDocument{yaml.Parser()}); err != nil {
		return nil, fmt.Errorf("read configuration %s: %w", path, err)
	}
	keys := make([]string, len(known))
	for i, s := range known {
		keys[i] = s.Key
	}
	var errs []error
	settings := map[string]any{}
	for _, key := range k.Keys() {
		if slices.Contains(keys, key) {
			settings[key] = k.Get(key)
			continue
		}
		if v := reflect.ValueOf(k.Get(key)); isSection(key, keys) && (!v.IsValid() || v.Kind() == reflect.Map && v.Len() == 0) {
			continue // a section with everything commented out
		}
		hint := ""
		if near := nearest(key, keys); near != "" {
			hint = fmt.Sprintf("; did you mean %s?", near)
		}
		errs = append(errs, fmt.Errorf("configuration %s: there is no setting %q%s", path, key, hint))
	}
	return settings, errors.Join(errs...)
}

func isSection(key string, keys []string) bool {
	return slices.ContainsFunc(keys, func(k string) bool { return strings.HasPrefix(k, key+".") })
}

// readEnvironment picks our variables, and the path of the file. Variables
// that are empty count as not set.
func readEnvironment(environ []string, known []Setting) (settings map[string]any, path string, warnings []string) {
	byName := map[string]string{}
	names := []string{FileVariable}
	for _, s := range known {
		byName[s.Variable()] = s.Key
		names = append(names, s.Variable())
	}
	settings = map[string]any{}
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		switch key, ours := byName[name]; {
		case !strings.HasPrefix(name, Prefix) || value == "":
		case name == FileVariable:
			path = value
		case ours:
			settings[key] = value
		case !forDevelopers(name):
			warning := "environment variable " + name + " is not read"
			if near := nearest(name, names); near != "" {
				warning += "; did you mean " + near + "?"
			}
			warnings = append(warnings, warning)
		}
	}
	slices.Sort(warnings)
	return settings, path, warnings
}

// forDevelopers says that a variable is read by tests or the build only.
func forDevelopers(name string) bool {
	for _, start := range []string{"TEST_", "GOLDEN", "CI", "FUZZ", "BENCH"} {
		if strings.HasPrefix(name, Prefix+start) {
			return true
		}
	}
	return false
}

// decode turns the layers into c. Text becomes a number, a duration or a truth
// where one is wanted, since the environment and the command line have only text;
// nothing else is converted.
func decode(k *koanf.Koanf, c *Config) error {
	fromText := func(from, to reflect.Type, v any) (any, error) {
		s, ok := v.(string)
		if !ok {
			return v, nil
		}
		switch {
		case to == reflect.TypeFor[time.Duration]():
			d, err := time.ParseDuration(s)
			if err != nil {
				return nil, fmt.Errorf("%q is not a time such as 30s or 2m", s)
			}
			return d, nil
		case to.Kind() == reflect.Int:
			n, err := strconv.Atoi(s)
			if err != nil {
				return nil, fmt.Errorf("%q is not a whole number", s)
			}
			return n, nil
		case to.Kind() == reflect.Bool:
			if s != "true" && s != "false" {
				return nil, fmt.Errorf("%q is neither true nor false", s)
			}
			return s == "true", nil
		}
		return v, nil
	}
	asWritten := func(from, to reflect.Type, v any) (any, error) {
		switch {
		case to == reflect.TypeFor[time.Duration]() && from != to:
			return nil, fmt.Errorf("%v is not a time such as 30s or 2m", v)
		case to.Kind() == reflect.Int && from.Kind() == reflect.Float64: // would be cut off
			return nil, fmt.Errorf("%v is not a whole number", v)
		}
		return v, nil
	}
	err := k.UnmarshalWithConf("", c, koanf.UnmarshalConf{Tag: "koanf", DecoderConfig: &mapstructure.DecoderConfig{
		Result:      c,
		TagName:     "koanf",
		ErrorUnused: true,
		DecodeHook:  mapstructure.ComposeDecodeHookFunc(fromText, asWritten),
	}})
	if err != nil {
		return fmt.Errorf("configuration: %w", err)
	}
	return nil
}

// effective lists the settings in force.
func effective(c Config, known []Setting, sources map[string]string) []Effective {
	k := koanf.New(".")
	// The provider cannot fail on a struct, and Config is one.
	_ = k.Load(structs.Provider(c, "koanf"), nil)
	list := make([]Effective, len(known))
	for i, s := range known {
		value := text(k.Get(s.Key))
		if s.Key == "db" {
			value = HideSecrets(value)
		}
		source := sources[s.Key]
		if source == "" {
			source = "default"
		}
		list[i] = Effective{Key: s.Key, Value: value, Source: source}
	}
	return list
}
