package outbox

// What a worker asks the database.
var (
	Claim    = claim
	DueLanes = dueLanes
)
