package rule

import "slices"

// Type is what a field holds.
type Type string

// The types. Text is compared byte by byte; an enumeration is text of a closed
// list; a date is a day without a zone, a time one of a day, in seconds.
const (
	String     Type = "string"
	Integer    Type = "integer"
	Decimal    Type = "decimal"
	Boolean    Type = "boolean"
	Date       Type = "date"
	Time       Type = "time"
	Enum       Type = "enum"
	StringList Type = "stringList"
)

// Operator is what a leaf asks of its field, as both notations write it.
type Operator string

// The operators of contract/platform.md §10.3.
const (
	Equal          Operator = "equal"
	NotEqual       Operator = "not_equal"
	In             Operator = "in"
	NotIn          Operator = "not_in"
	InList         Operator = "in_list"
	NotInList      Operator = "not_in_list"
	Less           Operator = "less"
	LessOrEqual    Operator = "less_or_equal"
	Greater        Operator = "greater"
	GreaterOrEqual Operator = "greater_or_equal"
	Between        Operator = "between"
	NotBetween     Operator = "not_between"
	BeginsWith     Operator = "begins_with"
	NotBeginsWith  Operator = "not_begins_with"
	EndsWith       Operator = "ends_with"
	Contains       Operator = "contains"
	NotContains    Operator = "not_contains"
	Matches        Operator = "matches"
	IsEmpty        Operator = "is_empty"
	IsNotEmpty     Operator = "is_not_empty"
	IsNull         Operator = "is_null"
	IsNotNull      Operator = "is_not_null"
	ContainsAny    Operator = "contains_any"
	ContainsAll    Operator = "contains_all"
)

// operand is what stands beside an operator.
type operand uint8

const (
	oneValue  operand = iota // a scalar, or another field
	oneText                  // a scalar, never another field
	manyValue                // an array
	twoValues                // [low, high]
	listCode                 // the code of a named list
	noOperand
)

// operation is how an operator is carried out: by its positive twin, whose
// answer is negated.
type operation struct {
	does    Operator
	negated bool
	operand operand
}

var operations = map[Operator]operation{
	Equal:          {Equal, false, oneValue},
	NotEqual:       {Equal, true, oneValue},
	In:             {In, false, manyValue},
	NotIn:          {In, true, manyValue},
	InList:         {InList, false, listCode},
	NotInList:      {InList, true, listCode},
	Less:           {Less, false, oneValue},
	LessOrEqual:    {LessOrEqual, false, oneValue},
	Greater:        {Greater, false, oneValue},
	GreaterOrEqual: {GreaterOrEqual, false, oneValue},
	Between:        {Between, false, twoValues},
	NotBetween:     {Between, true, twoValues},
	BeginsWith:     {BeginsWith, false, oneText},
	NotBeginsWith:  {BeginsWith, true, oneText},
	EndsWith:       {EndsWith, false, oneText},
	Contains:       {Contains, false, oneText},
	NotContains:    {Contains, true, oneText},
	Matches:        {Matches, false, oneText},
	IsEmpty:        {IsEmpty, false, noOperand},
	IsNotEmpty:     {IsEmpty, true, noOperand},
	IsNull:         {IsNull, false, noOperand},
	IsNotNull:      {IsNull, true, noOperand},
	ContainsAny:    {ContainsAny, false, manyValue},
	ContainsAll:    {ContainsAll, false, manyValue},
}

var (
	ofEquality = []Operator{Equal, NotEqual}
	ofSets     = []Operator{Equal, NotEqual, In, NotIn}
	ofLists    = []Operator{InList, NotInList}
	ofOrder    = []Operator{Less, LessOrEqual, Greater, GreaterOrEqual, Between, NotBetween}
	ofText     = []Operator{BeginsWith, NotBeginsWith, EndsWith, Contains, NotContains, Matches, IsEmpty, IsNotEmpty}
)

// operatorsOf are those of a type, but for the tests for null.
var operatorsOf = map[Type][]Operator{
	String:     slices.Concat(ofSets, ofLists, ofText),
	Integer:    slices.Concat(ofSets, ofLists, ofOrder),
	Decimal:    slices.Concat(ofSets, ofOrder),
	Boolean:    ofEquality,
	Date:       slices.Concat(ofSets, ofOrder),
	Time:       slices.Concat(ofSets, ofOrder),
	Enum:       ofSets,
	StringList: {ContainsAny, ContainsAll, IsEmpty, IsNotEmpty},
}
