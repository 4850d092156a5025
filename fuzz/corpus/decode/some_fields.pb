
ewebsite_analysiss