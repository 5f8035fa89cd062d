"""What two services or more use, and the rules of dialing; nothing else enters here."""
