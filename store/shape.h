#pragma once
// Whether a database has the tables and columns that its schema version promises. Internal to the store.
#include "store/schema.h"

namespace tune::store {

// For a file of the newest version. Throws DamagedFile that names the first table or column that is missing
// or of another type: a person who changed the file by hand would otherwise meet SQL errors later. What is
// there beside them does no harm.
void check_shape(Connection& connection, const Schema& schema);

}  // namespace tune::store
