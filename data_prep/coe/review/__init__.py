"""People review chains in Label Studio or in a spreadsheet: edit each layer, accept or reject, rate, flag a danger."""
