"""Makes Label Studio's database and accounts. Runs inside Label Studio's environment, by `common.label_studio`.

Standard input is a JSON list of objects with name, email, password and token. Each account gets an organization of its
own: Label Studio shows a user what belongs to their organization, so nobody meets another's work, and none is an
administrator. An account that is there already is left as it is.
"""

import json
import os
import sys
from pathlib import Path

import django
import label_studio


def main() -> None:
    """Migrate the database and add the accounts that are missing."""
    sys.path.insert(0, str(Path(label_studio.__file__).parent))
    os.environ["DJANGO_SETTINGS_MODULE"] = "label_studio.core.settings.label_studio"
    django.setup()
    # Django's models can only be imported after its setup.
    from django.core.management import call_command
    from django.db import transaction
    from organizations.models import Organization
    from rest_framework.authtoken.models import Token
    from users.models import User

    call_command("migrate", "--no-color", verbosity=0)
    for account in json.load(sys.stdin):
        if User.objects.filter(email=account["email"]).exists():
            continue
        with transaction.atomic():
            user = User.objects.create_user(email=account["email"], password=account["password"])
            user.username = account["name"]
            user.active_organization = Organization.create_organization(
                created_by=user, title=account["name"], legacy_api_tokens_enabled=True
            )
            user.save()
            Token.objects.filter(user=user).delete()
            Token.objects.create(user=user, key=account["token"])


if __name__ == "__main__":
    main()
