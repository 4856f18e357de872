"""Tools of the tests with foreign peers: the program under test, the wire, the judge, the clock."""
